"""Every index kind, or shorter neighbor lists, of one run: what it costs, and what it loses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever, ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.reports import index_section
from retrieval_leaderboard.evaluation.reports.index_section import IndexComparison, IndexKind
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.serving import indexes, neighbor_lists
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError

K = 20
MAX_QUERIES = 10_000
BLOCK = 256
"""Queries that are answered at once on one thread"""
SECONDS = 1.0
"""How long, at least, a rate is measured."""


@dataclass(frozen=True)
class Variant:
    """One way to answer queries with a model."""

    kind: str
    parameters: dict[str, int]
    build_seconds: float
    n_bytes: int
    search: Callable[[Ragged], npt.NDArray[np.int32]]
    """rows of items not to return → int32[q, 20]: the lists of all queries, on all threads"""
    on_one_thread: Callable[[], object]
    """the same without exclusions, on one thread"""


def compare(run: Path, dataset: Dataset, model_class: type[Retriever] | None = None) -> IndexComparison:
    """Measure every kind of index, or of neighbor lists, of a run and write `indexes.json` into its folder.

    Queries are the run's test queries, at most 10,000 evenly spaced ones. Recall is of the exact
    top 20 without exclusions; NDCG is of the test queries with theirs, and "lost" is exact − index.

    Raises:
        InputError: as `bundle.trained`; a model that has neither vectors nor neighbor lists, or gives
            no list.
    """
    record, model = bundle.trained(run, dataset, model_class)
    queries = dataset.test.take(slice(None, None, -(-len(dataset.test) // MAX_QUERIES)))
    exact, best = _lists(model, queries, Ragged.empty(len(queries))), _lists(model, queries, queries.exclude)
    if not (exact >= 0).any():
        raise InputError(f"{record.model} has no list for any test query: there is nothing to compare")
    ndcg_exact, n_items = _ndcg(best, queries), dataset.train_valid.n_items
    kinds, before = [], Usage.now()
    for variant in _variants(model, queries):
        kinds.append(_measured(variant, queries, n_items, exact, ndcg_exact))
    background = Usage.now().cores_elsewhere(before)
    comparison = IndexComparison(
        fingerprint=record.fingerprint,
        model=record.model,
        model_hash=bundle.model_hash(run),
        k=K,
        items=n_items,
        dimension=model.encode_items().shape[1] if isinstance(model, EmbeddingRetriever) else 0,
        queries=len(queries),
        ndcg_exact=ndcg_exact,
        kinds=tuple(kinds),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=environment.processor(),
        threads=compute.current().threads,
        cores_elsewhere=round(background, 2),
        commit=environment.git_commit(),
    )
    index_section.write(run, comparison)
    return comparison


def _variants(model: Retriever, queries: Queries) -> Iterator[Variant]:
    """What is compared for a model, each built when its turn comes."""
    if isinstance(model, EmbeddingRetriever):
        return _of_vectors(model, queries)
    if isinstance(model, ItemToItemRetriever):
        return _of_neighbors(model, queries)
    raise InputError(
        f"{model.name} has neither vectors to index nor neighbor lists to cut: there is nothing to compare"
    )


def _of_vectors(model: EmbeddingRetriever, queries: Queries) -> Iterator[Variant]:
    """An index of every kind."""
    import faiss

    items, vectors, nothing = model.encode_items(), model.encode_queries(queries), Ragged.empty(len(queries))
    for name, index_class in indexes.KINDS.items():
        progress.say(f"{name}: building and measuring")
        started = time.perf_counter()
        try:
            built = index_class.build(items)
        except InputError as error:
            progress.say(f"{name}: left out: {error}")
            continue
        seconds = time.perf_counter() - started

        def search(exclude: Ragged, index: indexes.VectorIndex = built) -> npt.NDArray[np.int32]:
            faiss.omp_set_num_threads(compute.current().threads)
            return index.search(vectors, K, exclude)[0]

        def on_one_thread(index: indexes.VectorIndex = built) -> None:
            faiss.omp_set_num_threads(1)
            index.search(vectors, K, nothing)

        yield Variant(name, built.parameters, seconds, built.n_bytes, search, on_one_thread)


def _of_neighbors(model: ItemToItemRetriever, queries: Queries) -> Iterator[Variant]:
    """Lists of fewer neighbors, and of all."""
    some = [queries.take(slice(at, at + BLOCK)) for at in range(0, len(queries), BLOCK)]
    *shorter, longest = neighbor_lists.lengths(model.similarity_)
    for length in (*shorter, longest):
        kind = f"{'all' if length == longest else length} neighbors"
        progress.say(f"{kind}: cutting and measuring")
        started = time.perf_counter()
        short = neighbor_lists.shortened(model, length)
        seconds = time.perf_counter() - started

        def on_one_thread(model: ItemToItemRetriever = short) -> None:
            for each in some:  # Few queries are answered on the thread that asks.
                _lists(model, each, Ragged.empty(len(each)))

        size = neighbor_lists.n_bytes(short.similarity_)
        search = partial(_lists, short, queries)
        yield Variant(kind, {"longest list": length}, seconds, size, search, on_one_thread)


def _lists(model: Retriever, queries: Queries, exclude: Ragged) -> npt.NDArray[np.int32]:
    """int32[q, 20]: what the model itself ranks."""
    return model.recommend(replace(queries, exclude=exclude), K)[0]


def _measured(
    variant: Variant, queries: Queries, n_items: int, exact: npt.NDArray[np.int32], best: float
) -> IndexKind:
    """One kind: seconds, bytes, rates, recall of int32[q, 20] `exact`, and NDCG lost of `best`."""
    nothing, n = Ragged.empty(len(queries)), len(queries)
    found, allowed = variant.search(nothing), variant.search(queries.exclude)
    return IndexKind(
        kind=variant.kind,
        parameters=variant.parameters,
        build_seconds=round(variant.build_seconds, 4),
        bytes_per_item=round(variant.n_bytes / n_items, 1),
        queries_per_second_one_thread=round(_per_second(variant.on_one_thread, n), 1),
        queries_per_second_all_threads=round(_per_second(lambda: variant.search(nothing), n), 1),
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
