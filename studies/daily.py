"""Warm starts step by step against fits from scratch: `python -m studies.daily --data-dir data`.

A model is fitted on the first days of a log. With each further day it goes on from its state of the day
before, and is fitted anew under the same settings beside; both answer for the day after. For ml-100k a step
is a hundredth of the interactions. Records are in `studies/records/daily/`; they fill `docs/daily.md`.
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

import numpy as np

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.datasets.aliec import generated
from retrieval_leaderboard.datasets.aliec.clicks import DAY_SECONDS, FIRST_SECOND
from retrieval_leaderboard.datasets.aliec.world import DAYS
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits import periods
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.warm_starts import with_fewer_passes

RECORDS = Path(__file__).parent / "records" / "daily"
PAGE = ROOT / "docs" / "daily.md"
MODELS = ("item_cf", "swing", "rp3beta", "ease", "als", "ials", "infonce")
FIRST_DAY = 3
"""The day, from 0, that is the validation part of the first fit; the next one is its test part"""
PERCENT = range(95, 101)
"""Shares of the interactions of a log without such days at which its steps begin"""


def _ml_100k(folder: Path) -> Log:
    source = SOURCES["ml-100k"]
    found = source.read(folder / source.folder)
    assert isinstance(found, Log)
    return found


DATASETS: dict[str, Callable[[Path], Log]] = {
    "aliec-sim-0.02": lambda _: generated.load(cache_dir(), 0.02),
    "aliec-sim-0.1": lambda _: generated.load(cache_dir(), 0.1),
    "ml-100k": _ml_100k,
}
K = 20
HEADER = ("data", "model", "changed users", "CPU s, fits", "warm starts", "ratio", "NDCG@20, last fit",
          "warm start", "change, step by step")  # fmt: skip


@dataclass(frozen=True)
class Day:
    """Both ways on one day."""

    test: str
    """What is asked for, such as "day 6" """
    changed: float
    """Share of the users with interactions who changed in the step before, the last that is learned"""
    full_seconds: float
    """Of the processor"""
    warm_seconds: float
    full_ndcg: float
    warm_ndcg: float


@dataclass(frozen=True)
class Record:
    """A model over the days."""

    data: str
    model: str
    passes: str
    """What counts passes, and how many: "epochs 12 → 3"; "" where nothing does"""
    days: tuple[Day, ...]
    processor: str
    commit: str
    date: str
    schema: int = 1


def steps(log: Log) -> list[tuple[str, int]]:
    """Each step in words, and the moment at which it begins."""
    if log.name == "aliec-sim":
        return [(f"day {day + 1}", FIRST_SECOND + day * DAY_SECONDS) for day in range(FIRST_DAY, DAYS + 1)]
    moments = np.quantile(periods.moments(log), [each / 100 for each in PERCENT], method="lower")
    return [(f"{each}–{each + 1} %", int(moment)) for each, moment in zip(PERCENT, moments, strict=True)]


def until(log: Log, valid: int, test: int, end: int) -> Dataset:
    """What came before the moment `test`, from `valid` on for validation, and what came then before `end`."""
    known = log.with_interactions(periods.moments(log) < end)
    return split(replace(known, periods=(valid, test)), "time", True, 0)


def measure(log: Log, name: str) -> Record:
    """Every step of one model."""
    kind = registry.get(name)
    words, begin = zip(*steps(log), strict=True)
    before = until(log, *begin[:3])
    asked = settings.build(kind, settings.defaults(kind)).resolve(before.train, before.valid)
    harness.warm_up(kind, asked, again=True)
    earlier = settings.build(kind, asked)
    harness.fit(earlier, before, 0)
    days = []
    for at in range(1, len(begin) - 2):
        now = until(log, *begin[at : at + 3])
        asked = kind.in_catalog(asked, len(before.item_ids), len(now.item_ids))
        fewer = with_fewer_passes(kind, asked)
        warm, full = settings.build(kind, fewer), settings.build(kind, asked)
        warm_seconds = _seconds(harness.warm_start, warm, earlier, before, now, 0)
        full_seconds = _seconds(harness.fit, full, now, 0)
        changed = Earlier.of(earlier, before, now).changes(now.train_valid).users
        share = changed.sum() / now.train_valid.active_users
        ndcg = [_ndcg(each, now) for each in (full, warm)]
        days.append(Day(words[at + 1], round(float(share), 4), full_seconds, warm_seconds, *ndcg))
        before, earlier = now, warm
    told = f"{kind.passes} {asked[kind.passes]} → {fewer[kind.passes]}" if kind.passes else ""
    made = environment.hardware(), environment.git_commit(), datetime.now(UTC).strftime("%Y-%m-%d")
    return Record(log.title or log.name, name, told, tuple(days), *made)


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    before = time.process_time()
    function(*arguments)
    return round(time.process_time() - before, 3)


def _ndcg(model: Retriever, data: Dataset) -> float:
    return round(harness.evaluate(model, data, K).metrics["ndcg"], 5)


def stored() -> list[Record]:
    """Every record, by data and in the order of `MODELS`."""
    found = (sealed.load(path, Record) for path in RECORDS.glob("*.json"))
    return sorted(found, key=lambda each: (each.data, MODELS.index(each.model)))


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("days", "passes", "made"), pages.NOT_MEASURED)
    rows = [_row(record) for record in records]
    passes = (f"{each.model} {each.passes} ({each.data})" for each in records if each.passes)
    made = sorted({(each.processor, each.commit, each.date) for each in records})
    return {
        "days": markdown.table(rows, HEADER, range(2, len(HEADER))),
        "passes": f"Passes: {', '.join(passes)}.",
        "made": f"Measured on one thread: {'; '.join(', '.join(each) for each in made)}.",
    }


def _row(record: Record) -> list[str]:
    days, last = record.days, record.days[-1]
    full, warm = sum(day.full_seconds for day in days), sum(day.warm_seconds for day in days)
    changed = [f"{share(day.changed for day in days):.0%}" for share in (min, max)]
    return [
        record.data, record.model, " to ".join(changed), f"{full:.2f}", f"{warm:.2f}", f"{warm / full:.2f}",
        f"{last.full_ndcg:.4f}", f"{last.warm_ndcg:.4f}",
        ", ".join(f"{day.warm_ndcg / day.full_ndcg - 1:+.1%}" for day in days),
    ]  # fmt: skip


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and fill the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.daily", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="of the datasets")
    parser.add_argument(
        "--datasets", type=command.names, default=[*DATASETS], metavar="A,B", help="default: all"
    )
    parser.add_argument("--models", type=command.names, default=[*MODELS], metavar="A,B", help="default: all")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, fill the page")
    options = parser.parse_args(arguments)
    command.check("dataset of this study", options.datasets, DATASETS)
    command.check("model of this study", options.models, MODELS)
    compute.configure("cpu", "fp32", threads=1)
    progress.configure(quiet=True)
    for data in () if options.page_only else options.datasets:
        log = DATASETS[data](options.data_dir)
        for model in options.models:
            sealed.write(RECORDS / f"{model}-{data}.json", asdict(measure(log, model)))
    pages.fill(PAGE, tables(stored()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
