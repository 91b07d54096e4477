"""The speed targets beside what `make bench` last measured: `python -m benchmarks.targets`.

Every number comes from the newest run that pytest-benchmark saved; `docs/speed.md` is written from it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from support.files import write_text

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "speed.md"


@dataclass(frozen=True)
class Target:
    """A median in seconds, or its ratio to another's of the same run, that shall not pass a limit."""

    what: str
    test: str
    limit: float
    over: str = ""
    """The test it is divided by; "" for seconds"""

    def measured(self, medians: dict[str, float]) -> float:
        """The figure to compare with `limit`."""
        return medians[self.test] / (medians[self.over] if self.over else 1.0)

    def row(self, medians: dict[str, float]) -> list[str]:
        """A row of the table."""
        unit = "×" if self.over else "s"
        value = self.measured(medians)
        return [
            self.what,
            f"{value:.3g} {unit}",
            f"{self.limit:g} {unit}",
            "yes" if value <= self.limit else "no",
        ]


STEPS = "test_steps_do_not_grow_with_the_tables"
TARGETS = (
    Target("exact top-20 of gowalla, over the bare product", "test_inner_product", 1.6, "test_bare_product"),
    Target("all metrics of gowalla's lists", "test_metrics", 0.15),
    Target("ItemCF fit on gowalla, over implicit's cosine", "test_item_cf", 1.2, "test_implicit_cosine"),
    Target("ItemCF ranking, over implicit's recommend", "test_neighbours", 0.5, "test_implicit_recommend"),
    Target("Swing on ml-1m, exact", "test_swing_ml_1m", 40),
    Target("Swing on gowalla, exact", "test_swing_gowalla", 5),
    Target("SimpleX, 1,000 negatives, an epoch of gowalla", "test_epoch[simplex_ccl, 1,000 negatives]", 25),
    Target("InfoNCE, 1,024 shared negatives, an epoch", "test_epoch[infonce, 1,024 negatives]", 8),
    Target("a step with 1,000,000 rows, over 100,000", f"{STEPS}[1000000]", 1.3, f"{STEPS}[100000]"),
    Target("AliEC's 26.6 million rows, first reading", "test_first_reading", 60),
    Target("AliEC from the cache", "test_cached_reading", 2),
    Target("run_all.py --list", "test_list", 1.5),
)


def page(run: dict[str, Any]) -> str:
    """The targets as Markdown; a target whose test the run lacks is a KeyError."""
    medians = {each["name"]: each["stats"]["median"] for each in run["benchmarks"]}
    extra = {each["name"]: each["extra_info"] for each in run["benchmarks"]}
    machine, commit = run["machine_info"], run["commit_info"]
    table = tabulate(
        [target.row(medians) for target in TARGETS],
        ["what", "measured", "at most", "met"],
        tablefmt="pipe",
        disable_numparse=True,
    )
    peak = extra["test_first_reading"]["peak_mib"]
    return (
        "# Speed\n\nMedians of one run of `make bench`, float32, written by "
        "`python -m benchmarks.targets`.\n\n"
        f"{machine['cpu']['brand_raw']}, {machine['cpu']['count']} cores · "
        f"Python {machine['python_version']} · {run['datetime'][:10]} · commit `{commit['id'][:12]}`\n\n"
        f"{table}\n\n"
        f"First reading of AliEC's files takes {peak:,.0f} MiB at its peak (at most 3,072).\n"
    )


def main() -> int:
    """Write the page from the newest saved run; 2 where there is none."""
    saved = sorted(ROOT.glob(".benchmarks/*/*.json"), key=lambda path: path.stat().st_mtime)
    if not saved:
        print("error: no saved run of benchmarks: run 'make bench' first", file=sys.stderr)
        return 2
    text = page(json.loads(saved[-1].read_text(encoding="utf-8")))
    write_text(PAGE, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
