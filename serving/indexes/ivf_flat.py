"""Index kind ivf_flat."""

from __future__ import annotations

from math import ceil, isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.indexes.base import Among, Nearest, VectorIndex, load_faiss

POINTS_PER_CELL = 39
"""Training vectors a centroid that faiss's k-means asks for"""


class IvfFlat(VectorIndex):
    """Cells around centroids, a sixteenth of them read: for a million items and more."""

    kind = "ivf_flat"
    factory = "IVF{nlist},Flat"
    auto_from = 1_000_000

    @classmethod
    def parameters_for(cls, n_items: int, dimension: int) -> dict[str, int]:
        """As `VectorIndex.parameters_for`."""
        # 4·√n cells of √n/4 items: comparing with centroids then costs about as much as with items.
        nlist = max(1, min(4 * isqrt(n_items), n_items // POINTS_PER_CELL))
        return {"nlist": nlist, "nprobe": min(nlist, max(8, nlist // 16))}

    @classmethod
    def configure(cls, index: Any, parameters: dict[str, int]) -> None:
        """As `VectorIndex.configure`."""
        index.cp.min_points_per_centroid = 1

    def nearest(
        self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool, among: Among
    ) -> Nearest:
        """As `VectorIndex.nearest`."""
        cells = self.parameters["nlist"]
        if not exhaustive:
            cells = min(cells, ceil(self.parameters["nprobe"] / among.share))
        effort = load_faiss().SearchParametersIVF(nprobe=cells, sel=among.selector)
        return self._index.search(queries, fetch, params=effort)
