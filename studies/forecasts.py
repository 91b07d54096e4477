"""How near the durations that models tell before a fit are to what fits take."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "durations"
MODELS = ("item_cf", "swing", "rp3beta")


@dataclass(frozen=True)
class Record:
    """One fit; CPU seconds of one thread."""

    dataset: str
    model: str
    told: float
    until: float
    """From the start of the fit until it was told"""
    fit: float
    processor: str
    commit: str
    date: str
    schema: int = 1


def run(named: str, data_dir: Path) -> None:
    """Fit every model of `MODELS` to a dataset, "name" or "name:scale", with its defaults."""
    compute.configure("cpu", "fp32", 1)
    name, _, scale = named.partition(":")
    dataset = load(name, data_dir, scale=float(scale) if scale else None)
    for each in MODELS:
        kind = registry.get(each)
        harness.warm_up(kind, settings.defaults(kind))
        model = kind().resolved(dataset.train, dataset.valid)
        told: list[tuple[float, float]] = []

        def note(label: str, seconds: float, work: str, told: list[tuple[float, float]] = told) -> None:
            told.append((seconds, time.process_time()))

        begun = time.process_time()
        with mock.patch.multiple(forecast, say=note, WORTH_SAYING=0.0):
            model.fit(dataset.train_valid, None, 0)
        fit = time.process_time() - begun
        seconds, at = told[0]
        about = environment.hardware(), environment.git_commit(), datetime.now(UTC).strftime("%Y-%m-%d")
        title = f"{name}, scale {scale}" if scale else name
        record = Record(title, each, round(seconds, 3), round(at - begun, 3), round(fit, 3), *about)
        sealed.write(RECORDS / f"{named.replace(':', '-')}-{each}.json", asdict(record))
        progress.say(f"{title}, {each}: {record}")


def tables() -> dict[str, str]:
    """The part of the page."""
    records = [sealed.load(path, Record) for path in sorted(RECORDS.glob("*.json"))]
    rows = [[each.dataset, each.model, *(f"{value:.2f}" for value in _figures(each))] for each in records]
    header = ["dataset", "model", "told, s", "then took, s", "ratio", "until told, s"]
    return {"durations": markdown.table(rows, header, range(2, 6)) if rows else pages.NOT_MEASURED}


def _figures(record: Record) -> tuple[float, ...]:
    after = record.fit - record.until
    return record.told, after, record.told / after, record.until
