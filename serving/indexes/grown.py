"""An index that stays as it is in its file, and what came later beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.indexes.base import Among, Nearest, VectorIndex
from retrieval_leaderboard.serving.indexes.flat import Flat


class Grown(VectorIndex):
    """Finds what was added exactly, by a scan, and everything else as the index that it grew from."""

    def __init__(self, first: VectorIndex) -> None:
        super().__init__(first.parameters, first._index)
        self._built = first
        self._later = Flat.build(np.empty((0, first._index.d), dtype=np.float32))

    @property
    def total(self) -> int:
        """As `VectorIndex.total`."""
        return self._built.total + self._later.total

    def add(self, labels: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> None:
        """As `VectorIndex.add`."""
        self._later.add(labels, vectors)

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """As `VectorIndex.remove`."""
        self._removed = np.concatenate([self._removed, labels])

    def nearest(
        self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool, among: Among
    ) -> Nearest:
        """As `VectorIndex.nearest`."""
        found = self._built.nearest(queries, fetch, exhaustive, among)
        if not self._later.total:
            return found
        later = self._later.nearest(queries, fetch, exhaustive, among)
        scores = np.concatenate([found[0], later[0]], axis=1)
        labels = np.concatenate([found[1], later[1]], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :fetch]
        return np.take_along_axis(scores, best, axis=1), np.take_along_axis(labels, best, axis=1)
