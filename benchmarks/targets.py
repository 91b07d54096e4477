"""The speed targets beside what `make bench` last measured: `python -m benchmarks.targets`.

Every number comes from the newest run that pytest-benchmark saved, and the share of validation from
the stored runs on gowalla; they fill `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.runs.record import Log
from retrieval_leaderboard.evaluation.runs.records import of_board
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.errors import InputError, in_one_sentence

PAGE = ROOT / "docs" / "speed.md"
BOARD = ROOT / "results" / "gowalla"


Seconds = dict[str, float]
"""Test → median seconds, of all its work where a part was timed"""


@dataclass(frozen=True)
class Target:
    """A median in seconds, or its ratio to another's of the same run, that must not pass a limit."""

    what: str
    test: str
    limit: float
    over: str = ""
    """The test it is divided by; "" for seconds"""
    plain: str = ""
    """The test of the plain version of the same work; "" where there is none"""
    plain_over: str = ""
    """The test that one is divided by, where it is not `over`"""

    def measured(self, seconds: Seconds) -> float:
        """The figure to compare with `limit`."""
        return seconds[self.test] / (seconds[self.over] if self.over else 1.0)

    def measured_plainly(self, seconds: Seconds) -> float:
        """The plain version's figure."""
        over = self.plain_over or self.over
        return seconds[self.plain] / (seconds[over] if over else 1.0)

    def row(self, seconds: Seconds) -> list[str]:
        """A row of the table."""
        unit = "×" if self.over else "s"
        value, plain, faster = self.measured(seconds), NONE, NONE
        if self.plain:
            plain = f"{_figure(self.measured_plainly(seconds))} {unit}"
            faster = f"{_figure(seconds[self.plain] / seconds[self.test])} ×"
        return _row(self.what, value, plain, faster, self.limit, f" {unit}")


NONE = "–"
VALIDATION_SHARE = 0.15
STEPS, PLAIN_STEPS = "test_steps_do_not_grow_with_the_tables", "test_plain_steps_grow_with_the_tables"
TARGETS = (
    Target(
        "exact top-20 of gowalla, over the bare product",
        "test_inner_product", 1.6, "test_bare_product", "test_plain_inner_product",
    ),
    Target("all metrics of gowalla's lists", "test_metrics", 0.15, plain="test_plain_metrics"),
    Target(
        "ItemCF fit on gowalla, over implicit's cosine",
        "test_item_cf", 1.2, "test_implicit_cosine", "test_plain_item_cf",
    ),
    Target(
        "ItemCF ranking, over implicit's recommend",
        "test_neighbors", 0.5, "test_implicit_recommend", "test_plain_neighbors",
    ),
    Target("Swing on ml-1m, exact", "test_swing_ml_1m", 40, plain="test_plain_swing[ml_1m]"),
    Target("Swing on gowalla, exact", "test_swing_gowalla", 5, plain="test_plain_swing[gowalla]"),
    Target(
        "SimpleX, 1,000 negatives, an epoch of gowalla",
        "test_epoch[simplex_ccl, 1,000 negatives]", 25, plain="test_plain_epoch[simplex_ccl]",
    ),
    Target(
        "InfoNCE, 1,024 shared negatives, an epoch",
        "test_epoch[infonce, 1,024 negatives]", 8, plain="test_plain_epoch[infonce]",
    ),
    Target(
        "a step with 1,000,000 rows, over 100,000",
        f"{STEPS}[1000000]", 1.3, f"{STEPS}[100000]", f"{PLAIN_STEPS}[1000000]", f"{PLAIN_STEPS}[100000]",
    ),
    *(
        Target(
            f"a step of SimpleX, {neighbors} neighbors, {threads} thread(s), over copies and products",
            f"test_simplex_steps[{neighbors}-{threads}]",
            3,
            f"test_copies_and_products[{neighbors}-{threads}]",
        )
        for neighbors in (0, 20)
        for threads in (1, 2)
    ),
    *(
        Target(
            f"a step of SimpleX with 20 neighbors, {threads} thread(s), over one without",
            f"test_simplex_steps[20-{threads}]", 1.5, f"test_simplex_steps[0-{threads}]",
        )
        for threads in (1, 2)
    ),
    Target("AliEC's 26.6 million rows, first reading", "test_first_reading", 60),
    Target("AliEC from the cache", "test_cached_reading", 2),
    Target("run_all.py --list", "test_list", 1.5),
)  # fmt: skip


def tables(run: dict[str, Any], shares: dict[str, float]) -> dict[str, str]:
    """Mark → Markdown; a target whose test the run lacks is a KeyError.

    Args:
        run: as pytest-benchmark saved it.
        shares: as `validation_shares` gives them.
    """
    extra = {each["name"]: each["extra_info"] for each in run["benchmarks"]}
    return {"conditions": _conditions(run), "targets": _targets(run, shares, extra), "parts": _parts(extra)}


def _conditions(run: dict[str, Any]) -> str:
    machine, commit = run["machine_info"], run["commit_info"]
    return (
        f"{machine['cpu']['brand_raw']}, {machine['cpu']['count']} cores · "
        f"Python {machine['python_version']} · {run['datetime'][:10]} · commit `{commit['id'][:12]}`"
    )


def _targets(run: dict[str, Any], shares: dict[str, float], extra: dict[str, dict[str, Any]]) -> str:
    seconds = {
        each["name"]: each["stats"]["median"] * each["extra_info"].get("scale", 1.0)
        for each in run["benchmarks"]
    }
    rows = [target.row(seconds) for target in TARGETS]
    for model, share in shares.items():
        what = f"validation while training {model}, share of training time"
        rows.append(_row(what, share, NONE, NONE, VALIDATION_SHARE))
    table = markdown.table(rows, ["what", "measured", "plain", "faster", "at most", "met"])
    peak = extra["test_first_reading"]["peak_mib"]
    return f"{table}\n\nFirst reading of AliEC's files takes {peak:,.0f} MiB at its peak (at most 3,072)."


def _parts(extra: dict[str, dict[str, Any]]) -> str:
    """A line for each plain version that did a part of its work."""
    return "".join(
        f"- {target.what}: {extra[target.plain]['part']}, × {_figure(extra[target.plain]['scale'])}\n"
        for target in TARGETS
        if target.plain and "scale" in extra[target.plain]
    )


def _row(what: str, value: float, plain: str, faster: str, limit: float, unit: str = "") -> list[str]:
    met = "yes" if value <= limit else "no"
    return [what, f"{_figure(value)}{unit}", plain, faster, f"{limit:g}{unit}", met]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def validation_shares(folder: Path) -> dict[str, float]:
    """Model → seconds of its evaluations over seconds of training, in its newest run on the board `folder`.

    Runs whose epochs do not say what their evaluations took are left out.
    """
    newest: dict[str, Log] = {}
    done = (record for record in of_board(folder).values() if record.is_done)
    for record in sorted(done, key=lambda record: record.date):
        epochs = record.measured.choosing
        if any("valid_seconds" in epoch for epoch in epochs):
            newest[record.model] = epochs
    return {
        model: sum(epoch.get("valid_seconds", 0.0) for epoch in epochs)
        / sum(epoch["seconds"] for epoch in epochs)
        for model, epochs in sorted(newest.items())
    }


@in_one_sentence
def main() -> int:
    """Fill the page from the newest saved run; 2 where there is none."""
    argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__).parse_args()
    saved = sorted(ROOT.glob(".benchmarks/*/*.json"), key=lambda path: path.stat().st_mtime)
    if not saved:
        raise InputError("no saved run of benchmarks: run 'make bench' first")
    run = json.loads(saved[-1].read_text(encoding="utf-8"))
    pages.fill(PAGE, tables(run, validation_shares(BOARD)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
