"""Everything a GPU is asked for, in one go: `python -m benchmarks.gpu`.

Ceilings of the GPU, exact top-20 of AliEC's shape, training on Gowalla and on aliec-sim at scale 1.0. With a
CUDA GPU it writes `benchmarks/results/gpu.json` and, from that, `docs/gpu.md`. On a CPU
(`--device cpu --small`) it rehearses the same code and writes only the files it is told to.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.gpu.page import table, tables
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support import compute, pages, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage.files import write_json, write_text

RECORD = ROOT / "benchmarks" / "results" / "gpu.json"
PAGE = ROOT / "docs" / "gpu.md"


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write record and page; 1 where a part failed, 2 on bad input."""
    options = _parser().parse_args(arguments)
    compute.configure(options.device, "fp32")
    in_full = options.device == "cuda" and not options.small
    record_file = options.record or (RECORD if in_full else None)
    record = measure(options.device, options.small, options.data_dir, record_file)
    if options.out or in_full:
        text = pages.filled(PAGE.read_text(encoding="utf-8"), tables(record), PAGE)
        write_text(options.out or PAGE, text)
    print(table(record))
    return 1 if record["failed"] else 0


def measure(device: str, small: bool, data_dir: Path, record_file: Path | None) -> dict[str, Any]:
    """The record; a part that fails prints its traceback and leaves the others to go on.

    What is done is written to `record_file` after each part, so that an interruption loses one.
    """
    from retrieval_leaderboard.benchmarks.gpu import data, work

    sizes = data.SMALL if small else data.FULL
    gowalla = data.gowalla(data_dir, sizes)
    aliec = cache(partial(data.aliec, data_dir, sizes))  # Made late: what comes before stands by then.
    default = sizes.batches[:1]
    parts: dict[str, Callable[[], Any]] = {
        "ceilings": partial(work.ceilings, device, sizes),
        "topk": partial(work.exact_topk, device, sizes),
        "steps": partial(work.steps, device, sizes, gowalla),
        "training": partial(work.training, device, sizes, gowalla, sizes.batches),
        "quality": partial(work.quality, device, sizes, gowalla),
        "deterministic": partial(isolation.call, work.deterministic, device, sizes, gowalla),
        "compiled": partial(isolation.call, work.compiled, device, sizes, gowalla),
        "aliec_training": lambda: work.training(device, sizes, aliec(), default),
        "aliec_quality": lambda: work.quality(device, sizes, aliec()),
    }
    failed: dict[str, str] = {}
    record: dict[str, Any] = {
        "machine": machine(device), "small": small, "data": gowalla.title, "failed": failed
    }  # fmt: skip
    for name, part in parts.items():
        progress.say(f"measuring: {name}")
        try:
            record[name] = part()
        except Exception as error:  # A GPU is scarce: one part's bug must not cost the others.
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
        if record_file is not None:
            write_json(record_file, record)
    return record


def machine(device: str) -> dict[str, str]:
    """What was measured on, with what, and when."""
    import torch

    from retrieval_leaderboard.evaluation.runs import environment

    return {
        "device": device,
        "name": DEVICES[device].hardware(),
        "driver": _driver() if device == "cuda" else "none",
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "commit": environment.git_commit(),
    }


def _driver() -> str:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def stored() -> dict[str, Any] | None:
    """The committed record; None where no GPU has been measured."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    add = parser.add_argument
    add("--device", choices=tuple(DEVICES), default="cuda")
    add("--small", action="store_true", help="sizes that a CPU does in seconds")
    add("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="folder that may hold gowalla/")
    add("--record", type=Path, metavar="FILE", help=f"the measurements; on a GPU {RECORD.relative_to(ROOT)}")
    add("--out", type=Path, metavar="FILE", help=f"the page; on a GPU {PAGE.relative_to(ROOT)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
