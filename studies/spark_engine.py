"""What fits and rankings take on Spark: `python -m studies.spark_engine --data-dir data`.

Does the same work with threads and on Spark, compares the results bit by bit and keeps a record in
`studies/records/spark_engine/`, which `studies.spark_page` brings to docs/spark.md. Seconds are of
processors: of this process and all that it started, and of a cluster on this machine whose processes
`--pids` names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.engines.spark import SparkEngine
from retrieval_leaderboard.evaluation.models.bases import ItemToItemRetriever
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.studies.processes import processor_seconds
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "spark_engine"
QUERIES, DIMENSIONS = 6000, 64
SIZES = (1_000_000_000, 10_000_000_000)
"""Interactions that the growth is computed for"""
GROWN = "gowalla"
"""The dataset it is computed from, at the same interactions a user and an item"""

Arrays = Sequence[Any]


@dataclass(frozen=True)
class Case:
    """One kind of work on one dataset, by both engines."""

    work: str
    local_seconds: float
    """Of processors"""
    spark_seconds: float
    """Of processors, where workers had done it before"""
    bytes_shared: int
    bytes_returned: int
    equal: bool


@dataclass(frozen=True)
class Record:
    """One dataset on one master."""

    dataset: str
    master: str
    interactions: int
    users: int
    items: int
    cases: tuple[Case, ...]
    processor: str
    commit: str
    date: str
    schema: int = 1


def works(data: Dataset) -> dict[str, Callable[[], Arrays]]:
    """Name of the work → what does it, returning all that comes out."""
    rng = np.random.default_rng(0)
    items = rng.standard_normal((data.train_valid.n_items, DIMENSIONS), dtype=np.float32)
    queries = rng.standard_normal((QUERIES, DIMENSIONS), dtype=np.float32)
    exclude = data.test.exclude.take(np.arange(QUERIES) % len(data.test))
    item_cf, swing = ItemCF(), Swing()

    def fit(model: ItemToItemRetriever) -> Arrays:
        model.fit(data.train_valid, None, seed=0)
        return model.similarity_.data, model.similarity_.indices, model.similarity_.indptr

    return {
        "item_cf: fit": lambda: fit(item_cf),
        "swing: fit": lambda: fit(swing),
        "item_cf: lists": lambda: item_cf.recommend(data.test, 20),
        f"vectors: {QUERIES:,} lists": lambda: topk.inner_product(queries, items, exclude, 20),
    }


def measure(data: Dataset, engine: SparkEngine, others: Sequence[int]) -> Record:
    """Every work, twice by each engine; the second time counts."""
    cases = []
    for name, work in works(data).items():
        engines.use(LocalEngine())
        here, local_seconds = _timed(work, others)
        engines.use(engine)
        before = engine.bytes_shared, engine.bytes_returned
        there, spark_seconds = _timed(work, others)
        sizes = (engine.bytes_shared - before[0]) // 2, (engine.bytes_returned - before[1]) // 2
        equal = all(np.array_equal(one, other) for one, other in zip(here, there, strict=True))
        cases.append(Case(name, round(local_seconds, 2), round(spark_seconds, 2), *sizes, equal))
    log = data.train_valid
    return Record(
        dataset=data.name,
        master=engine.name.removeprefix("spark on "),
        interactions=len(log),
        users=log.n_users,
        items=log.n_items,
        cases=tuple(cases),
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def _timed(work: Callable[[], Arrays], others: Sequence[int]) -> tuple[Arrays, float]:
    work()
    before = processor_seconds(others)
    return work(), processor_seconds(others) - before


def stored() -> list[Record]:
    """Every record, as of `all_in`."""
    return all_in(RECORDS, Record)


class OfDataset(Protocol):
    """What a record on one dataset and master has."""

    @property
    def dataset(self) -> str: ...

    @property
    def master(self) -> str: ...

    @property
    def interactions(self) -> int: ...


Kept = TypeVar("Kept", bound=OfDataset)


def all_in(folder: Path, kind: type[Kept]) -> list[Kept]:
    """The records in `folder`, the smallest dataset first, then by master."""
    found = [sealed.load(path, kind) for path in folder.glob("*.json")]
    return sorted(found, key=lambda each: (each.interactions, each.master))


def keep(folder: Path, record: OfDataset) -> None:
    """Write a record to `folder`, in place of the one of its dataset on such a master."""
    kind = "local" if record.master.startswith("local") else "cluster"
    sealed.write(folder / f"{record.dataset}-{kind}.json", asdict(cast(Any, record)))


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("measured", "growth"), pages.NOT_MEASURED)
    header = ["dataset", "master", "work", "threads, s", "Spark, s", "shared MB", "returned MB", "same bits"]
    lines = [
        [
            *(each.dataset, f"`{each.master}`", case.work, f"{case.local_seconds:,.1f}"),
            *(f"{case.spark_seconds:,.1f}", f"{case.bytes_shared / 1e6:,.1f}"),
            *(f"{case.bytes_returned / 1e6:,.1f}", "yes" if case.equal else "NO"),
        ]
        for each in records
        for case in each.cases
    ]
    about = sorted({f"{each.processor}, commit {each.commit}, {each.date}" for each in records})
    shown = f"{markdown.table(lines, header, range(3, 7))}\n\n{'; '.join(about)}."
    return {"measured": shown, "growth": _growth([each for each in records if each.dataset == GROWN])}


def _growth(records: list[Record]) -> str:
    if not records:
        return pages.NOT_MEASURED
    record = records[0]
    header = ["interactions", "work", "shuffled", "shared, GB", "a worker, GB", "returned, GB", "stacked, GB"]
    header.append("CPU hours")
    lines = []
    for size in SIZES:
        times = size / record.interactions
        for case in record.cases[:2]:
            room = WORKER_BYTES[case.work.partition(":")[0]] * record.items * times
            returned = case.bytes_returned * times
            figures = case.bytes_shared * times, room, returned, STACKED * returned
            hours = case.spark_seconds * times / 3600
            cells = [f"{each / 1e9:,.1f}" for each in figures]
            lines.append([f"{size:,}", case.work, "0", *cells, f"{hours:,.1f}"])
    return markdown.table(lines, header, range(2, 8))


WORKER_BYTES = {"item_cf": 12, "swing": 20}
"""That a worker keeps for each item beside the shared file: sums, places and a list of items"""
STACKED = 2
"""Copies of what is returned that the waiting process holds: by the items that keep it, and turned"""


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and keep the records."""
    parser = command.on_spark("spark_engine", __doc__, ("ml-100k", "gowalla"))
    parser.add_argument(
        "--pids",
        type=command.numbers,
        default=[],
        metavar="N,N",
        help="processes of a cluster on this machine",
    )
    options = command.quietly(parser, arguments)
    engine = SparkEngine(options.master)
    for name in options.datasets:
        keep(RECORDS, measure(load(name, options.data_dir), engine, options.pids))
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
