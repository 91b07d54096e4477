"""How near what models tell before a fit is to what the fit takes: pairs, seconds and memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets import Dataset, Interactions, load
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity, reckoned_activity
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.studies.processes import anonymous_mib_of, forget_peak, most_anonymous_mib
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "forecasts"
LOOPS = ("item_cf", "swing", "rp3beta")
"""Models that say how long they will take"""
FEW = {"iterations": 2}
MODELS: dict[str, dict[str, int]] = {
    **{name: {} for name in (*LOOPS, "user_knn", "ease")},
    "als": FEW,
    "ials": FEW,
}
"""What is fitted → settings: more iterations take no more memory"""
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""That memory which is freed is given back, and not counted with what is taken later"""
LEAST_MIB = 5
"""Below which what is measured says nothing of a fit"""


@dataclass(frozen=True)
class Told:
    """What is told, or what it came to."""

    pairs: float | None
    """Steps of the loop: of an item and an interaction of its users, for Swing with each of these users; None
    for a model without such a loop
    """
    seconds: float | None
    """Of processors, of one thread"""
    mib: float


@dataclass(frozen=True)
class Record:
    """One fit."""

    dataset: str
    model: str
    interactions: int
    told: Told
    until: float | None
    """Seconds of processors from the start of the fit until the time was told"""
    took: Told
    """From then on"""
    processor: str
    commit: str
    date: str
    schema: int = 1


def run(named: str, data_dir: Path, models: Iterable[str] = ()) -> None:
    """Fit `models`, or all of `MODELS`, to a dataset, "name" or "name:scale".

    Raises:
        InputError: there is no such dataset.
    """
    _loaded(named, data_dir)  # What a child raises would be a crash.
    for each in models or MODELS:
        record = isolation.call_together([GIVEN_BACK], measure, named, data_dir, each)
        sealed.write(RECORDS / f"{named.replace(':', '-')}-{each}.json", asdict(record))
        progress.say(f"{named}, {each}: {record}")


def measure(named: str, data_dir: Path, name: str) -> Record:
    """One model, in this process."""
    compute.configure("cpu", "fp32", 1)
    dataset = _loaded(named, data_dir)
    train, kind = dataset.train_valid, registry.get(name)
    every = settings.defaults(kind) | MODELS[name]
    harness.warm_up(kind, every)
    model = settings.build(kind, every).resolved(dataset.train, dataset.valid)
    need = model.fit_bytes(train, None)
    told: list[tuple[float, float]] = []

    def note(label: str, seconds: float, work: str) -> None:
        told.append((seconds, time.process_time()))
        forget_peak()  # Of loops too short to be timed, which only this study times.

    gc.collect()
    begun, held = time.process_time(), anonymous_mib_of()
    with mock.patch.multiple(forecast, say=note, WORTH_SAYING=0.0), most_anonymous_mib() as most:
        model.fit(train, None, 0)
    ended, loop = time.process_time(), name in LOOPS
    seconds, at = told[0] if loop else (0.0, begun)
    return Record(
        dataset=named.replace(":", ", scale "),
        model=name,
        interactions=len(train),
        told=Told(
            _pairs(name, train, reckoned_activity(train)) if loop else None,
            round(seconds, 3) if loop else None,
            round(need / 2**20, 1),
        ),
        until=round(at - begun, 3) if loop else None,
        took=Told(
            _pairs(name, train, activity(train)) if loop else None,
            round(ended - at, 3),
            round(most[0] - held, 1),
        ),
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def _loaded(named: str, data_dir: Path) -> Dataset:
    name, _, scale = named.partition(":")
    try:
        wanted = float(scale) if scale else None
    except ValueError as error:
        reason = f"{scale!r} is not a scale: give NAME or NAME:SCALE, such as aliec-sim:0.05"
        raise InputError(reason) from error
    return load(name, data_dir, scale=wanted)


def _pairs(name: str, train: Interactions, pairs: npt.NDArray[np.float64]) -> float:
    """Of all items, by the interactions of the users of each."""
    return float((pairs * (train.item_counts if name == "swing" else 1)).sum())


def stored() -> list[Record]:
    """Every record, by dataset and model."""
    return [sealed.load(path, Record) for path in sorted(RECORDS.glob("*.json"))]


def tables(records: list[Record]) -> dict[str, str]:
    """The part of the page."""
    if not records:
        return {"forecasts": pages.NOT_MEASURED}
    header = ["dataset", "model", "pairs, million", "forecast / counted", "forecast s", "forecast / measured"]
    header += ["s to forecast", "forecast MiB", "forecast / measured"]
    lines = [[each.dataset, each.model, *_cells(each)] for each in records]
    about = sorted({f"{each.processor}, commit {each.commit}, {each.date}" for each in records})
    return {"forecasts": f"{markdown.table(lines, header, range(2, 9))}\n\n{'; '.join(about)}."}


def _cells(record: Record) -> list[str]:
    told, took = record.told, record.took
    memory = f"{told.mib:,.1f}", f"{told.mib / took.mib:.2f}" if took.mib >= LEAST_MIB else "–"
    if told.pairs is None or told.seconds is None or took.pairs is None or took.seconds is None:
        return [*[""] * 5, *memory]
    return [
        *(f"{took.pairs / 1e6:,.0f}", f"{told.pairs / took.pairs:.2f}"),
        *(f"{told.seconds:.2f}", f"{told.seconds / took.seconds:.2f}", f"{record.until:.2f}"),
        *memory,
    ]
