"""Every index kind on the item vectors of one run: what it costs, and what it loses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.evaluation.reports import index_section
from retrieval_leaderboard.evaluation.reports.index_section import IndexComparison, IndexKind
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.serving import indexes
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.support import compute, progress

K = 20
MAX_QUERIES = 10_000
SECONDS = 1.0
"""How long, at least, a rate is measured."""


def compare(run: Path, dataset: Dataset, model_class: type[Retriever] | None = None) -> IndexComparison:
    """Measure every kind on the vectors of a run's model and write `indexes.json` into its folder.

    Queries are the run's test queries, at most 10,000 evenly spaced ones. Recall is of the exact
    top 20 without exclusions; NDCG is of the test queries with theirs, and "lost" is exact − index.

    Raises:
        InputError: as `bundle.trained`.
    """
    record, model = bundle.trained(run, dataset, model_class)
    items = model.encode_items()
    queries = dataset.test.take(slice(None, None, -(-len(dataset.test) // MAX_QUERIES)))
    vectors = model.encode_queries(queries)
    exact, _ = topk.inner_product(vectors, items, Ragged.empty(len(queries)), K)
    best = _ndcg(topk.inner_product(vectors, items, queries.exclude, K)[0], queries)
    kinds, before = [], Usage.now()
    for name, index_class in indexes.KINDS.items():
        progress.say(f"{name}: building and measuring")
        kinds.append(_measure(index_class, items, vectors, queries, exact, best))
    background = Usage.now().cores_elsewhere(before)
    comparison = IndexComparison(
        fingerprint=record.fingerprint,
        model=record.model,
        model_hash=bundle.model_hash(run),
        k=K,
        items=len(items),
        dimension=items.shape[1],
        queries=len(queries),
        ndcg_exact=best,
        kinds=tuple(kinds),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=environment.processor(),
        threads=compute.current().threads,
        cores_elsewhere=round(background, 2),
        commit=environment.git_commit(),
    )
    index_section.write(run, comparison)
    return comparison


def _measure(
    index_class: type[indexes.VectorIndex],
    items: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    queries: Queries,
    exact: npt.NDArray[np.int32],
    best: float,
) -> IndexKind:
    """One kind: seconds, bytes, rates, recall of int32[q, 20] `exact`, and NDCG lost of `best`."""
    import faiss

    started = time.perf_counter()
    built = index_class.build(items)
    seconds = time.perf_counter() - started
    nothing = Ragged.empty(len(queries))
    found, _ = built.search(vectors, K, nothing)
    allowed, _ = built.search(vectors, K, queries.exclude)

    def rate(threads: int) -> float:
        faiss.omp_set_num_threads(threads)
        return _per_second(lambda: built.search(vectors, K, nothing), len(queries))

    return IndexKind(
        kind=built.kind,
        parameters=built.parameters,
        build_seconds=round(seconds, 4),
        bytes_per_item=round(built.n_bytes / len(items), 1),
        queries_per_second_one_thread=round(rate(1), 1),
        queries_per_second_all_threads=round(rate(compute.current().threads), 1),
        recall=float(_rows(exact).contains(found).sum() / (exact >= 0).sum()),
        ndcg_lost=best - _ndcg(allowed, queries),
    )


def _per_second(search: Callable[[], object], n: int) -> float:
    """Queries a second over whole passes of at least a second together, the first pass left out."""
    search()
    started, passes = time.perf_counter(), 0
    while passes == 0 or time.perf_counter() - started < SECONDS:
        search()
        passes += 1
    return n * passes / (time.perf_counter() - started)


def _rows(lists: npt.NDArray[np.int32]) -> Ragged:
    return Ragged.from_rows([row[row >= 0] for row in lists])


def _ndcg(lists: npt.NDArray[np.int32], queries: Queries) -> float:
    return measure.mean(measure.per_query(lists, queries.relevant, K))["ndcg"]
