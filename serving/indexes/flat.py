"""Index kind flat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.indexes.base import Among, Nearest, VectorIndex, load_faiss


class Flat(VectorIndex):
    """A scan of all vectors: exact, and fast enough below a million items."""

    kind = "flat"
    factory = "IDMap,Flat"
    auto_from = 0

    def nearest(
        self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool, among: Among
    ) -> Nearest:
        """As `VectorIndex.nearest`."""
        return self._index.search(queries, fetch, params=load_faiss().SearchParameters(sel=among.selector))
