"""`als` by Spark's MLlib against `als` here: `python -m studies.als_on_spark --data-dir data`.

Fits both with the same settings, ranks the test queries by the vectors of each, and keeps a record in
`studies/records/als_on_spark/`, which `studies.spark_page` brings to docs/spark.md. Seconds are of
processors: of this process and all that it started, Spark's included.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.studies.processes import processor_seconds
from retrieval_leaderboard.support import markdown, pages, spark
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "als_on_spark"
CASES: tuple[dict[str, float], ...] = (
    {"factors": 64, "iterations": 5, "regularization": 0.00218, "alpha": 30.69},
    {"factors": 32, "iterations": 5, "regularization": 100.0, "alpha": 60.0},
)
"""Hardly any λ, with which both have one objective, and the λ of the defaults"""
Solver = Literal["local", "spark"]
SOLVERS: tuple[Solver, Solver] = ("local", "spark")
SEEDS = 3
"""Fits here, whose deviation tells what a difference may come to; on Spark there is one, of seed 0"""
K = 20


@dataclass(frozen=True)
class Fits:
    """What came of fits by one solver with one setting."""

    ndcg: tuple[float, ...]
    """NDCG@20 on the test queries, by seed"""
    seconds: float
    """Of processors, of a fit; the mean over the seeds"""


@dataclass(frozen=True)
class Case:
    """The same settings by both solvers."""

    settings: dict[str, float]
    here: Fits
    there: Fits


@dataclass(frozen=True)
class Record:
    """All cases on one dataset."""

    dataset: str
    master: str
    interactions: int
    cases: tuple[Case, ...]
    pyspark: str
    processor: str
    commit: str
    date: str
    schema: int = 1


def measure(data: Dataset, cases: tuple[dict[str, float], ...] = CASES) -> Record:
    """Every case, by the solver here and on the session of `spark.session`."""
    session = spark.session()
    for solver in SOLVERS:  # What compiles and what Spark loads once is no part of a fit.
        ALS(factors=2, iterations=1, solver=solver).fit(data.train_valid, data.valid, 0)
    return Record(
        dataset=data.name,
        master=str(session.sparkContext.master),
        interactions=len(data.train_valid),
        cases=tuple(
            Case(each, _fits(data, each, "local", SEEDS), _fits(data, each, "spark", 1)) for each in cases
        ),
        pyspark=version("pyspark"),
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def _fits(data: Dataset, settings: dict[str, float], solver: Solver, seeds: int) -> Fits:
    ndcg, seconds = [], 0.0
    for seed in range(seeds):
        model = ALS(**settings, solver=solver)  # type: ignore[arg-type]
        before = processor_seconds()
        model.fit(data.train_valid, data.valid, seed)
        seconds += processor_seconds() - before
        ndcg.append(round(harness.evaluate(model, data, K).metrics["ndcg"], 5))
    return Fits(tuple(ndcg), round(seconds / seeds, 2))


def stored() -> list[Record]:
    """Every record, the smallest dataset first."""
    return sorted(
        (sealed.load(path, Record) for path in RECORDS.glob("*.json")), key=lambda it: it.interactions
    )


def tables(records: list[Record]) -> dict[str, str]:
    """The part of the page."""
    if not records:
        return {"als": pages.NOT_MEASURED}
    header = [
        "dataset",
        "factors",
        "iterations",
        "λ",
        "α",
        "NDCG@20 here",
        "on Spark",
        "CPU s here",
        "on Spark",
    ]
    lines = [
        [
            *(each.dataset, *(f"{case.settings[name]:g}" for name in CASES[0])),
            *(_quality(case.here), _quality(case.there)),
            *(f"{case.here.seconds:,.1f}", f"{case.there.seconds:,.1f}"),
        ]
        for each in records
        for case in each.cases
    ]
    about = [
        f"{each.dataset}: `{each.master}`, pyspark {each.pyspark}, {each.processor}, commit {each.commit}, "
        f"{each.date}"
        for each in records
    ]
    return {"als": f"{markdown.table(lines, header, range(1, 9))}\n\n{'; '.join(about)}."}


def _quality(fits: Fits) -> str:
    """The mean, with the deviation of the seeds where there are several."""
    mean = f"{statistics.mean(fits.ndcg):.4f}"
    return (
        mean
        if len(fits.ndcg) == 1
        else f"{mean} ± {statistics.stdev(fits.ndcg):.4f} ({len(fits.ndcg)} seeds)"
    )


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and keep the records."""
    options = command.quietly(command.on_spark("als_on_spark", __doc__, ("ml-100k", "gowalla")), arguments)
    spark.configure(options.master)
    for name in options.datasets:
        found = measure(load(name, options.data_dir))
        sealed.write(RECORDS / f"{name}.json", asdict(found))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
