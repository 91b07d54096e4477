"""Index kind ivf_pq."""

from __future__ import annotations

from typing import Any

from retrieval_leaderboard.serving.indexes.ivf_flat import IvfFlat
from retrieval_leaderboard.support.errors import InputError


class IvfPq(IvfFlat):
    """Cells of short codes, scores approximate: for ten million items and more.

    Jégou, Douze and Schmid, "Product quantization for nearest neighbor search" (2011): a byte for every four
    dimensions, fewer bits where there are few items to learn from.
    """

    kind = "ivf_pq"
    factory = "IVF{nlist},PQ{m}x{nbits}"
    auto_from = 10_000_000

    @classmethod
    def parameters_for(cls, n_items: int, dimension: int) -> dict[str, int]:
        """As `VectorIndex.parameters_for`; InputError where there are no two items to learn codes from."""
        if n_items < 2:
            raise InputError("an ivf_pq index learns its codes from two items or more: take flat")
        m = max(part for part in range(1, max(1, dimension // 4) + 1) if dimension % part == 0)
        code = {"m": m, "nbits": max(1, min(8, n_items.bit_length() - 1))}
        return super().parameters_for(n_items, dimension) | code

    @classmethod
    def configure(cls, index: Any, parameters: dict[str, int]) -> None:
        """As `VectorIndex.configure`."""
        super().configure(index, parameters)
        index.pq.cp.min_points_per_centroid = 1
        # It orders codes for a Hamming filter that is not used here, and takes far longer than the rest.
        index.do_polysemous_training = False
