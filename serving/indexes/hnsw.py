"""Index kind hnsw."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.indexes.base import Among, Nearest, VectorIndex, load_faiss


class Hnsw(VectorIndex):
    """A graph of neighbors: fast to search, slow to build, and the most memory; never the default.

    Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
    navigable small world graphs" (2018). Not chosen by size, because it cannot remove items.
    """

    kind = "hnsw"
    factory = "IDMap,HNSW{M},Flat"

    @classmethod
    def parameters_for(cls, n_items: int, dimension: int) -> dict[str, int]:
        """As `VectorIndex.parameters_for`."""
        return {"M": 32, "efConstruction": 200, "efSearch": 128}

    @classmethod
    def configure(cls, index: Any, parameters: dict[str, int]) -> None:
        """As `VectorIndex.configure`."""
        load_faiss().downcast_index(index.index).hnsw.efConstruction = parameters["efConstruction"]

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """As `VectorIndex.remove`; the graph keeps them, whose paths would break without."""
        self._removed = np.concatenate([self._removed, labels])

    def nearest(
        self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool, among: Among
    ) -> Nearest:
        """As `VectorIndex.nearest`; exhaustively too, because parts of a graph may be out of reach."""
        faiss = load_faiss()
        if exhaustive:
            vectors = faiss.downcast_index(faiss.downcast_index(self._index.index).storage)
            rows_only = among.selector and faiss.IDSelectorTranslated(self._index.id_map, among.selector)
            scores, rows = vectors.search(queries, fetch, params=faiss.SearchParameters(sel=rows_only))
            return scores, np.where(rows < 0, -1, faiss.vector_to_array(self._index.id_map)[rows])
        width = ceil(max(self.parameters["efSearch"], fetch) / among.share)
        effort = faiss.SearchParametersHNSW(efSearch=width, sel=among.selector)
        return self._index.search(queries, fetch, params=effort)
