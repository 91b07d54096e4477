"""Exact top-k by inner product on a device of PyTorch, in blocks of queries.

Tested on the CPU and on a simulated GPU; not yet run on a real one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import forecast, ties
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.devices import DEVICES

if TYPE_CHECKING:
    import torch

# Scores of one block, and numbers of the vectors that are scored again: 512 MiB of float32 each.
BLOCK_SCORES = 2**27
# Items beyond the k-th that float32 may have put in its place.
SPARE = 32


def inner_product(
    queries: npt.NDArray[np.float32],
    items: npt.NDArray[np.float32],
    exclude: Ragged,
    k: int,
    error: npt.NDArray[np.float32],
    device: str,
    said: str = "",
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """As `topk.inner_product`; `error` float32[q] is the largest error of a query's float32 scores.

    `torch.topk` breaks ties at will, so k and some more items are taken, scored again in float64
    and sorted by (score, `ties.rank`). Where more items than that lie within `error` of the k-th,
    the whole row is scored again. `error` is that of float32: products in TF32 would be further off.
    `said` is what there is to rank, for the message where it will take long; "" for none.
    """
    import torch

    vectors = torch.from_numpy(items).to(device)  # (items, d)
    found = np.full((len(queries), k), -1, np.int32)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    width = min(k, len(items))
    if width == 0:
        return found, scores
    again = 3 * min(width + SPARE, len(items)) * items.shape[1]  # In float32 and in float64.
    rows = max(1, BLOCK_SCORES // max(len(items), again))
    excluded = _Excluded(exclude, device)
    with progress.bar("ranking", len(queries), "queries") as advance, DEVICES[vectors.device.type].float32():
        begun = time.perf_counter()
        for start in range(0, len(queries), rows):
            block = slice(start, min(start + rows, len(queries)))
            query = torch.from_numpy(queries[block]).to(device)  # (block, d)
            product = query @ vectors.T  # (block, items)
            excluded.mask(product, start)
            slack = 2 * torch.from_numpy(error[block]).to(device)  # (block,)
            best, best_scores = _best(query, vectors, product, slack, width)
            found[block, :width] = best.cpu().numpy()
            scores[block, :width] = best_scores.cpu().numpy()
            if said and start == 0:  # What was copied from the device is done.
                forecast.say_ranking((time.perf_counter() - begun) * len(queries) / len(query), said)
            advance(len(query))
    found[np.isneginf(scores)] = -1
    return found, scores


class _Excluded:
    """The items that no query is to get, copied to the device once."""

    def __init__(self, exclude: Ragged, device: str) -> None:
        import torch

        values, self.offsets = exclude.compact()
        self.items = torch.from_numpy(values).to(device)
        self.counts = torch.from_numpy(np.diff(self.offsets)).to(device)

    def mask(self, product: torch.Tensor, start: int) -> None:
        """Write -inf into `product`, float32[b, items], of the queries from `start` on."""
        import torch

        stop = start + len(product)
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        rows = torch.arange(len(product), device=product.device)
        row = torch.repeat_interleave(rows, self.counts[start:stop], output_size=last - first)
        # A plain number would be copied to the device, for which the host waits.
        product.index_put_((row, self.items[first:last].long()), product.new_full((), -torch.inf))


def _best(
    query: torch.Tensor, vectors: torch.Tensor, product: torch.Tensor, slack: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Items int64[b, k] and scores float32[b, k], ties by `ties.rank`, from product float32[b, items]."""
    import torch

    taken = min(k + SPARE, product.shape[1])
    near, candidates = product.topk(taken, dim=1)  # (b, taken)
    # In the order of ties, so that a stable sort by score leaves them in it.
    order = ties.rank(candidates).argsort(dim=1)
    candidates = candidates.gather(1, order)
    exact = torch.einsum("bd,bcd->bc", query.double(), vectors[candidates].double()).float()
    exact[near.gather(1, order).isneginf()] = -torch.inf
    scores, place = exact.sort(dim=1, descending=True, stable=True)
    items, scores = candidates.gather(1, place)[:, :k], scores[:, :k]
    crowded = (near[:, -1] > near[:, k - 1] - slack) & (taken < product.shape[1])
    # The rows in float64, and the order of their items.
    for part in crowded.nonzero().squeeze(1).split(max(1, BLOCK_SCORES // (4 * product.shape[1]))):
        if not len(part):  # One part of none, where no row is crowded.
            break
        items[part], scores[part] = _whole(query[part], vectors, product[part], k)
    return items, scores


def _whole(
    query: torch.Tensor, vectors: torch.Tensor, product: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    exact = (query.double() @ vectors.double().T).float()  # (b, items)
    exact[product.isneginf()] = -torch.inf
    in_tie_order = ties.rank(torch.arange(len(vectors), device=exact.device)).argsort()  # (items,)
    scores, place = exact[:, in_tie_order].sort(dim=1, descending=True, stable=True)
    return in_tie_order[place[:, :k]], scores[:, :k]
