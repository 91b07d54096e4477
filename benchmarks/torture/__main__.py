"""`python -m benchmarks.torture`: inject faults, print what came of them; `--save` keeps the figures."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval_leaderboard.benchmarks.torture import page
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.support.errors import in_one_sentence, unknown
from retrieval_leaderboard.support.system import cores


def subjects() -> list[str]:
    """Modules of this package that put faults in."""
    package = Path(__file__).parent
    names = sorted(
        module.name for module in pkgutil.iter_modules([str(package)]) if module.name != "__main__"
    )
    return [name for name in names if hasattr(_module(name), "run")]


def _module(name: str) -> Any:
    return importlib.import_module(f"benchmarks.torture.{name}")


def measure(name: str, seed: int, tries: int) -> dict[str, Any]:
    """Run one subject; what came of it, and where and when."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="torture-") as scratch:
        rows = _module(name).run(seed, Path(scratch), tries)
    return {
        "rows": rows,
        "seed": seed,
        "seconds": round(time.perf_counter() - started),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": environment.processor(),
        "cores": cores.available(),
        "commit": environment.git_commit(),
    }


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Inject the faults; 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tries", type=int, default=5, help="of each kind of fault that takes a process")
    parser.add_argument("--only", default="", metavar="A,B", help="subjects (default: all)")
    parser.add_argument("--save", action="store_true", help="keep the figures and fill docs/reliability.md")
    options = parser.parse_args(arguments)
    known = subjects()
    names = options.only.split(",") if options.only else known
    for name in names:
        if name not in known:
            raise unknown("subject", name, known)
    found = {}
    for name in names:
        found[name] = measure(name, options.seed, options.tries)
        print(f"## {name}\n\n{page.table(found[name])}\n", flush=True)
        if options.save:
            page.save(name, found[name])
    broken = [row for each in found.values() for row in each["rows"] if row[2] < row[1]]
    print(f"{len(broken)} kinds of faults did not end as they should" if broken else "all as it should be")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
