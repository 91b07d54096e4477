"""What fits take where Spark shuffles histories: `python -m studies.spark_grouped --data-dir data`.

Fits with several caps of histories by threads and by Spark, compares the similarities bit by bit, ranks the
test queries by them, and keeps a record in `studies/records/spark_grouped/`, which `studies.spark_page`
brings to docs/spark.md. Seconds are of processors: of this process and all that it started.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines.history_cap import capped
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.neighborhood import Neighborhood
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation import engines, harness
from retrieval_leaderboard.evaluation.engines import grouped, histories
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.studies.processes import processor_seconds
from retrieval_leaderboard.studies.shuffled import shuffled_bytes
from retrieval_leaderboard.studies.spark_engine import GROWN, SIZES, WORKER_BYTES, all_in, keep
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.errors import in_one_sentence

RECORDS = Path(__file__).parent / "records" / "spark_grouped"
MODELS = (ItemCF, Swing)
CAPS = (0, 100, 30)
"""Items of a history; 0 for all"""
BLOCK_BYTES = 2**20
"""So that a small log has as many blocks as a large one: the more, the more often a history is sent"""
K = 20


@dataclass(frozen=True)
class Case:
    """One model with one cap."""

    model: str
    cap: int
    """`max_items_per_user`"""
    pairs: int
    """Items of the histories of the users of each item, over all items"""
    blocks: int
    ndcg: float
    """NDCG@20 on the test queries"""
    local_seconds: float
    """Of processors, of a fit by threads"""
    spark_seconds: float
    bytes_shuffled: int
    bytes_shared: int
    bytes_returned: int
    equal: bool


@dataclass(frozen=True)
class Record:
    """One dataset on one master."""

    dataset: str
    master: str
    interactions: int
    items: int
    cases: tuple[Case, ...]
    processor: str
    commit: str
    date: str
    schema: int = 1


def measure(data: Dataset, engine: engines.GroupedEngine) -> Record:
    """Every model with every cap, by threads and by `engine`."""
    for each in (LocalEngine(), engine):  # What compiles and what Spark loads once is no part of a fit.
        engines.use(each)
        for model in MODELS:
            model(max_items_per_user=2).fit(data.train_valid, None, 0)
    log = data.train_valid
    return Record(
        dataset=data.name,
        master=engine.name.removeprefix("spark on ").removesuffix(grouped.NAMED),
        interactions=len(log),
        items=log.n_items,
        cases=tuple(_case(data, engine, model(max_items_per_user=cap)) for model in MODELS for cap in CAPS),
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def _case(data: Dataset, engine: engines.GroupedEngine, model: Neighborhood) -> Case:
    costs = activity(capped(data.train_valid, model.max_items_per_user))
    engines.use(engine)
    shared, returned, shuffled = engine.bytes_shared, engine.bytes_returned, shuffled_bytes()
    spark_seconds = _seconds_of_fit(model, data)
    there = _arrays(model)
    engines.use(LocalEngine())
    local_seconds = _seconds_of_fit(model, data)
    return Case(
        model=model.name,
        cap=model.max_items_per_user,
        pairs=int(costs.sum()),
        blocks=len(histories.cuts_of(costs, engine.tasks)) - 1,
        ndcg=round(harness.evaluate(model, data, K).metrics["ndcg"], 5),
        local_seconds=local_seconds,
        spark_seconds=spark_seconds,
        bytes_shuffled=shuffled_bytes() - shuffled,
        bytes_shared=engine.bytes_shared - shared,
        bytes_returned=engine.bytes_returned - returned,
        equal=all(np.array_equal(one, other) for one, other in zip(_arrays(model), there, strict=True)),
    )


def _arrays(model: Neighborhood) -> tuple[npt.NDArray[Any], ...]:
    return model.similarity_.data, model.similarity_.indices, model.similarity_.indptr


def _seconds_of_fit(model: Neighborhood, data: Dataset) -> float:
    before = processor_seconds()
    model.fit(data.train_valid, None, 0)
    return round(processor_seconds() - before, 2)


def stored() -> list[Record]:
    """Every record, as of `all_in`."""
    return all_in(RECORDS, Record)


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("grouped", "grouped growth"), pages.NOT_MEASURED)
    header = [
        *("dataset", "model", "cap", "NDCG@20", "blocks", "threads, s", "Spark, s", "shuffled MB"),
        *("shared MB", "returned MB", "same bits"),
    ]
    lines = [
        [
            *(each.dataset, case.model, f"{case.cap or 'none'}", f"{case.ndcg:.4f}", f"{case.blocks:,}"),
            *(f"{case.local_seconds:,.1f}", f"{case.spark_seconds:,.1f}"),
            *(f"{size / 1e6:,.1f}" for size in (case.bytes_shuffled, case.bytes_shared, case.bytes_returned)),
            "yes" if case.equal else "NO",
        ]
        for each in records
        for case in each.cases
    ]
    about = [f"{it.dataset}: `{it.master}`, {it.processor}, commit {it.commit}, {it.date}" for it in records]
    shown = f"{markdown.table(lines, header, range(2, 10))}\n\n{'; '.join(about)}."
    return {"grouped": shown, "grouped growth": _growth([it for it in records if it.dataset == GROWN])}


def _growth(records: list[Record]) -> str:
    if not records:
        return pages.NOT_MEASURED
    record = records[0]
    header = [
        *("interactions", "model", "cap", "shuffled, GB", "shared, GB", "a task, GB", "returned, GB"),
        "CPU hours",
    ]
    lines = []
    for size in SIZES:
        times = size / record.interactions
        for case in record.cases:
            sizes = (
                case.bytes_shuffled * times,
                case.bytes_shared * times,
                _task_bytes(case.model, record.items * times),
                case.bytes_returned * times,
            )
            cells = [f"{each / 1e9:,.1f}" for each in sizes]
            hours = f"{case.spark_seconds * times / 3600:,.1f}"
            lines.append([f"{size:,}", case.model, f"{case.cap or 'none'}", *cells, hours])
    return markdown.table(lines, header, range(2, 8))


def _task_bytes(model: str, items: float) -> float:
    """What a task takes with a block of the usual size, and for each item."""
    return histories.COPIES * histories.BLOCK_BYTES + (histories.ROW_BYTES + WORKER_BYTES[model]) * items


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and keep the records."""
    parser = command.on_spark("spark_grouped", __doc__, ("ml-100k", "gowalla"))
    options = command.quietly(parser, arguments)
    usual, histories.BLOCK_BYTES = histories.BLOCK_BYTES, BLOCK_BYTES
    engine = engines.GroupedEngine(options.master)
    for name in options.datasets:
        keep(RECORDS, measure(load(name, options.data_dir), engine))
    engine.close()
    histories.BLOCK_BYTES = usual
    return 0


if __name__ == "__main__":
    sys.exit(main())
