"""How near what models tell before a fit is to what the fit takes: pairs, seconds and memory."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets import Interactions, load
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity, reckoned_activity
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.studies.measured import watched
from retrieval_leaderboard.studies.processes import anonymous_mib_of
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "forecasts"
MODELS = ("item_cf", "swing", "rp3beta")
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""That memory which is freed is given back, and not counted with what is taken later"""
LEAST_MIB = 5
"""Below which what is measured says nothing of a fit"""


@dataclass(frozen=True)
class Told:
    """What is told, or what it came to."""

    pairs: float
    """Steps of the loop: of an item and an interaction of its users, for Swing with each of these users"""
    seconds: float
    """Of processors, of one thread"""
    mib: float


@dataclass(frozen=True)
class Record:
    """One fit."""

    dataset: str
    model: str
    interactions: int
    told: Told
    until: float
    """Seconds of processors from the start of the fit until it was told"""
    took: Told
    """From then on"""
    processor: str
    commit: str
    date: str
    schema: int = 1


def run(named: str, data_dir: Path) -> None:
    """Fit every model of `MODELS` to a dataset, "name" or "name:scale", with its defaults."""
    for each in MODELS:
        record = isolation.call_together([GIVEN_BACK], measure, named, data_dir, each)
        sealed.write(RECORDS / f"{named.replace(':', '-')}-{each}.json", asdict(record))
        progress.say(f"{named}, {each}: {record}")


def measure(named: str, data_dir: Path, name: str) -> Record:
    """One model, in this process."""
    compute.configure("cpu", "fp32", 1)
    dataset_name, _, scale = named.partition(":")
    dataset = load(dataset_name, data_dir, scale=float(scale) if scale else None)
    train, kind = dataset.train_valid, registry.get(name)
    harness.warm_up(kind, settings.defaults(kind))
    model = kind().resolved(dataset.train, dataset.valid)
    need = model.fit_bytes(train, None)
    told: list[tuple[float, float]] = []

    def note(label: str, seconds: float, work: str) -> None:
        told.append((seconds, time.process_time()))

    begun, held = time.process_time(), anonymous_mib_of()
    with mock.patch.multiple(forecast, say=note, WORTH_SAYING=0.0):
        _, taken = watched(model.fit, train, None, 0)
    ended, (seconds, at) = time.process_time(), told[0]
    return Record(
        dataset=f"{dataset_name}, scale {scale}" if scale else dataset_name,
        model=name,
        interactions=len(train),
        told=Told(_pairs(name, train, reckoned_activity(train)), round(seconds, 3), round(need / 2**20, 1)),
        until=round(at - begun, 3),
        took=Told(
            _pairs(name, train, activity(train)),
            round(ended - at, 3),
            round(taken.anonymous_mib - held, 1),
        ),
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


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
    header = ["dataset", "model", "pairs, million", "told / counted", "seconds told", "told / taken"]
    header += ["until told, s", "MiB told", "told / taken"]
    lines = [[each.dataset, each.model, *_cells(each)] for each in records]
    about = sorted({f"{each.processor}, commit {each.commit}, {each.date}" for each in records})
    return {"forecasts": f"{markdown.table(lines, header, range(2, 9))}\n\n{'; '.join(about)}."}


def _cells(record: Record) -> list[str]:
    told, took = record.told, record.took
    return [
        *(f"{took.pairs / 1e6:,.0f}", f"{told.pairs / took.pairs:.2f}"),
        *(f"{told.seconds:.2f}", f"{told.seconds / took.seconds:.2f}", f"{record.until:.2f}"),
        *(f"{told.mib:,.1f}", f"{told.mib / took.mib:.2f}" if took.mib >= LEAST_MIB else "–"),
    ]
