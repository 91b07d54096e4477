"""Warm starts day by day against fits from scratch: `python -m studies.daily` fills `docs/daily.md`.

A model is fitted on the first days of aliec-sim. With each further day it goes on from its state of the day
before, and is fitted anew under the same settings beside; both answer for the day after. Records are in
`studies/records/daily/`, one a model and scale.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.datasets.aliec.clicks import DAY_SECONDS, FIRST_SECOND
from retrieval_leaderboard.datasets.aliec.world import DAYS
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.warm_starts import warm_settings

RECORDS = Path(__file__).parent / "records" / "daily"
PAGE = ROOT / "docs" / "daily.md"
MODELS = ("item_cf", "swing", "als", "infonce")
FIRST_TEST = 4
"""The day, from 0, for which the first fit answers: it has learned from those before"""
K = 20
HEADER = ("scale", "model", "test day", "changed users", "CPU s, fit", "warm start", "ratio", "NDCG@20, fit",
          "warm start", "change")  # fmt: skip


@dataclass(frozen=True)
class Day:
    """Both ways on one day."""

    test: int
    """The day that is asked for, from 0"""
    changed: float
    """Share of the users with interactions who did something on the day before, the last that is learned"""
    full_seconds: float
    """Of the processor"""
    warm_seconds: float
    full_ndcg: float
    warm_ndcg: float


@dataclass(frozen=True)
class Record:
    """A model over the days."""

    scale: float
    model: str
    passes: str
    """What counts passes, and how many: "epochs 12 → 3"; "" where nothing does"""
    days: tuple[Day, ...]
    processor: str
    commit: str
    date: str
    schema: int = 1


def until(log: Log, test: int) -> Dataset:
    """The days before `test`, the last of them for validation, and `test` to answer for."""
    begin = FIRST_SECOND + test * DAY_SECONDS
    assert log.timestamp is not None
    known = log.with_interactions(log.timestamp < begin + DAY_SECONDS)
    return split(replace(known, periods=(begin - DAY_SECONDS, begin)), "time", True, 0)


def measure(log: Log, scale: float, name: str) -> Record:
    """Every day of one model."""
    kind = registry.get(name)
    before = until(log, FIRST_TEST)
    asked = settings.build(kind, settings.defaults(kind)).resolve(before.train, before.valid)
    harness.warm_up(kind, asked, again=True)
    earlier = settings.build(kind, asked)
    harness.fit(earlier, before, 0)
    fewer, days = warm_settings(kind, asked), []
    for test in range(FIRST_TEST + 1, DAYS):
        now = until(log, test)
        warm, full = settings.build(kind, fewer), settings.build(kind, asked)
        warm_seconds = _seconds(harness.warm_start, warm, earlier, before, now, 0)
        full_seconds = _seconds(harness.fit, full, now, 0)
        changed = Earlier.of(earlier, before, now).changed(now.train_valid)
        share = changed.sum() / (now.train_valid.user_counts > 0).sum()
        ndcg = [_ndcg(each, now) for each in (full, warm)]
        days.append(Day(test, round(float(share), 4), full_seconds, warm_seconds, *ndcg))
        before, earlier = now, warm
    told = f"{kind.passes} {asked[kind.passes]} → {fewer[kind.passes]}" if kind.passes else ""
    made = environment.hardware(), environment.git_commit(), datetime.now(UTC).strftime("%Y-%m-%d")
    return Record(scale, name, told, tuple(days), *made)


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    before = time.process_time()
    function(*arguments)
    return round(time.process_time() - before, 3)


def _ndcg(model: Retriever, data: Dataset) -> float:
    return round(harness.evaluate(model, data, K).metrics["ndcg"], 5)


def stored() -> list[Record]:
    """Every record, by scale and in the order of `MODELS`."""
    found = (sealed.load(path, Record) for path in RECORDS.glob("*.json"))
    return sorted(found, key=lambda each: (each.scale, MODELS.index(each.model)))


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("days", "passes", "made"), pages.NOT_MEASURED)
    rows = [_row(record, day) for record in records for day in record.days]
    passes = (f"{each.model} {each.passes} (scale {each.scale:g})" for each in records if each.passes)
    made = sorted({(each.processor, each.commit, each.date) for each in records})
    return {
        "days": markdown.table(rows, HEADER, range(2, len(HEADER))),
        "passes": f"Passes: {', '.join(passes)}.",
        "made": f"Measured on one thread: {'; '.join(', '.join(each) for each in made)}.",
    }


def _row(record: Record, day: Day) -> list[str]:
    return [
        f"{record.scale:g}", record.model, str(day.test + 1), f"{day.changed:.0%}",
        f"{day.full_seconds:.2f}", f"{day.warm_seconds:.2f}", f"{day.warm_seconds / day.full_seconds:.2f}",
        f"{day.full_ndcg:.4f}", f"{day.warm_ndcg:.4f}", f"{day.warm_ndcg / day.full_ndcg - 1:+.1%}",
    ]  # fmt: skip


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and fill the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.daily", description=__doc__)
    parser.add_argument("--scales", default="0.02,0.1", metavar="S,S", help="of aliec-sim")
    parser.add_argument("--models", default=",".join(MODELS), metavar="A,B")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, fill the page")
    options = parser.parse_args(arguments)
    compute.configure("cpu", "fp32", threads=1)
    progress.configure(quiet=True)
    for scale in () if options.page_only else map(float, options.scales.split(",")):
        generate = SOURCES["aliec-sim"].generate
        assert generate is not None
        log = generate(scale)
        for name in options.models.split(","):
            sealed.write(RECORDS / f"{name}-{scale:g}.json", asdict(measure(log, scale, name)))
    pages.fill(PAGE, tables(stored()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
