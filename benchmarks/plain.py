"""The work of the fast kernels as one would write it first; `docs/speed.md` sets its times beside ours.

Arguments and results are those of the functions named, but that ties may fall otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array, diags_array

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.evaluation.ranking.item_neighbors import users_of_items
from retrieval_leaderboard.evaluation.ranking.topk import TopK

BLOCK = 512
METRICS = ("precision", "recall", "map", "ndcg", "hitrate")
"""Those that are computed here"""
Neighbors = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]


def inner_product(
    queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32], exclude: Ragged, k: int
) -> TopK:
    """`evaluation.topk.inner_product` by a matrix product and `torch.topk`; k at most the catalog."""
    catalog, found, scores = torch.as_tensor(items), [], []
    for rows in _blocks(len(queries)):
        block = torch.as_tensor(queries[rows]) @ catalog.T  # (rows, items)
        taken = exclude.take(rows)
        block[taken.rows(), taken.compact()[0]] = -torch.inf
        best = block.topk(k)
        found.append(torch.where(best.values > -torch.inf, best.indices, -1))
        scores.append(best.values)
    return torch.cat(found).numpy().astype(np.int32), torch.cat(scores).numpy()


def per_query(items: npt.NDArray[np.int32], relevant: Ragged, k: int) -> dict[str, npt.NDArray[np.float64]]:
    """`evaluation.metrics.per_query`, one query after the other."""
    rows = [_of_one(row, set(relevant[query].tolist()), k) for query, row in enumerate(items.tolist())]
    return dict(zip(METRICS, np.array(rows).reshape(-1, len(METRICS)).T, strict=True))


def _of_one(items: list[int], relevant: set[int], k: int) -> list[float]:
    if not relevant:
        return [math.nan] * len(METRICS)
    ranks = [rank for rank, item in enumerate(items[:k], start=1) if item in relevant]
    ideal = min(len(relevant), k)
    average = sum(hits / rank for hits, rank in enumerate(ranks, start=1)) / ideal
    gain = sum(1 / math.log2(rank + 1) for rank in ranks)
    ideal_gain = sum(1 / math.log2(rank + 1) for rank in range(1, ideal + 1))
    return [len(ranks) / k, len(ranks) / len(relevant), average, gain / ideal_gain, float(bool(ranks))]


def item_cf(train: Interactions, model: ItemCF) -> csr_array:
    """What `model.fit` gives, by scipy's sparse product; for `prune_axis` "target" and no normalization."""
    matrix = csr_array((np.ones(len(train)), (train.user, train.item)), (train.n_users, train.n_items))
    weighted = diags_array(np.maximum(train.user_counts, 1.0) ** -model.user_exponent) @ matrix
    size = weighted.sum(axis=0)
    size[size == 0] = 1
    by_item, lists, model = matrix.T.tocsr(), [], model.resolved(train, None)
    for rows in _blocks(train.n_items):
        shared = (by_item[rows] @ weighted).tocsr()  # (rows, items)
        for row, item in enumerate(range(rows.start, rows.stop)):
            span = slice(shared.indptr[row], shared.indptr[row + 1])
            codes = shared.indices[span]
            norms = size[item] ** concrete(model.target_exponent) * size[codes] ** model.history_exponent
            scores = (shared.data[span] / (norms + model.shrinkage)) ** concrete(model.amplification)
            lists.append(_largest(codes[codes != item], scores[codes != item], concrete(model.top_k)))
    return _stacked(lists, train.n_items).T.tocsr()


def neighbors(history: Ragged, similarity: csr_array, exclude: Ragged, k: int) -> TopK:
    """`evaluation.topk.summed` by scipy's sparse product, made dense; k at most the catalog."""
    found, scores = [], []
    for rows in _blocks(len(history)):
        items, offsets = history.take(rows).compact()
        shape = len(offsets) - 1, similarity.shape[0]
        block = (csr_array((np.ones(len(items), np.float32), items, offsets), shape) @ similarity).toarray()
        taken = exclude.take(rows)
        block[taken.rows(), taken.compact()[0]] = -np.inf
        best = np.argpartition(block, -k, axis=1)[:, -k:]  # (rows, k)
        order = np.argsort(-np.take_along_axis(block, best, axis=1), axis=1)
        found.append(np.take_along_axis(best, order, axis=1))
        scores.append(np.take_along_axis(block, found[-1], axis=1))
    codes, values = np.concatenate(found).astype(np.int32), np.concatenate(scores)
    nothing = values <= 0
    codes[nothing], values[nothing] = -1, -np.inf
    return codes, values


def swing(train: Interactions, model: Swing, items: Iterable[int]) -> csr_array:
    """float32[len(items), n_items]: what `model.fit` keeps for each target of `items`, pair of users by pair.

    `max_users_per_item` and `normalization` are not looked at.
    """
    items_of = [train.by_user[user] for user in range(train.n_users)]
    weight = (np.maximum(train.user_counts, 1) + model.user_offset) ** -model.user_exponent
    users, kept, total = users_of_items(train), [], np.zeros(train.n_items)
    size = np.maximum(train.item_counts, 1).astype(np.float64)
    norms, model = size**model.history_exponent, model.resolved(train, None)
    for item in items:
        for u, v in combinations(users[item].tolist(), 2):
            both = np.intersect1d(items_of[u], items_of[v], assume_unique=True)
            total[both] += 2 * weight[u] * weight[v] / (model.alpha + len(both))
        total[item] = 0
        codes = np.flatnonzero(total).astype(np.int32)
        scores = total[codes] / (size[item] ** concrete(model.target_exponent) * norms[codes])
        kept.append(_largest(codes, scores, concrete(model.top_k)))
        total[codes] = 0
    return _stacked(kept, train.n_items)


def swing_pairs(train: Interactions, items: npt.NDArray[np.int64]) -> int:
    """Pairs of users that `swing` intersects for `items`: Σ_i n_i (n_i - 1) / 2, n_i users took item i."""
    counts = train.item_counts[items]
    return int((counts * (counts - 1) // 2).sum())


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))


def _largest(codes: npt.NDArray[np.int32], scores: npt.NDArray[np.float64], top_k: int) -> Neighbors:
    if len(scores) <= top_k:
        return codes, scores
    best = np.argpartition(scores, -top_k)[-top_k:]
    return codes[best], scores[best]


def _stacked(rows: list[Neighbors], n_items: int) -> csr_array:
    offsets = offsets_of(np.array([len(codes) for codes, _ in rows]))
    codes = np.concatenate([codes for codes, _ in rows])
    scores = np.concatenate([scores for _, scores in rows]).astype(np.float32)
    return csr_array((scores, codes, offsets), (len(rows), n_items))
