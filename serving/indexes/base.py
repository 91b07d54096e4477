"""What every index kind is: item vectors under labels, searched by inner product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties, topk

Lists = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
Nearest = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
EXHAUSTIVE_SHARE = 0.1
"""Where a filter keeps at most this share of the vectors, all of them are looked at"""


@dataclass(frozen=True)
class Among:
    """The vectors that a search may find."""

    count: int
    share: float
    """of all vectors"""
    selector: Any = None
    """faiss's, of labels; None for all"""


class VectorIndex(ABC):
    """Vectors under labels. Labels are item codes below the catalog's size, and later numbers above it.

    A search may run beside other searches, never beside `add` or `remove`. A kind is a class derived from
    this one, in a file of its own, that stands in `indexes.KINDS`.
    """

    kind: ClassVar[str]
    """its name, on the command line and in bundles"""
    factory: ClassVar[str]
    """how faiss's index factory calls it, with the parameters in braces"""
    auto_from: ClassVar[int | None] = None
    """items from which on it is chosen for a bundle, until another kind is; None is never"""

    def __init__(self, parameters: dict[str, int], index: Any) -> None:
        self.parameters = parameters
        self._index = index
        self._removed: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        """Removed labels that the index still holds"""

    @classmethod
    def summary(cls) -> str:
        """What it is, in one line: for help and docs."""
        line = (cls.__doc__ or "").partition("\n")[0].rstrip(".")
        return line[:1].lower() + line[1:]

    @classmethod
    def parameters_for(cls, n_items: int, dimension: int) -> dict[str, int]:
        """What it is built and searched with, for a catalog of this size.

        Raises:
            InputError: the kind cannot hold so few items.
        """
        return {}

    @classmethod
    def build(cls, vectors: npt.NDArray[np.float32]) -> Self:
        """Index float32[n, d] `vectors` under the labels 0 … n - 1; InputError as `parameters_for`.

        Zero vectors are left out: of such items nothing is known, and they are not returned.
        """
        faiss = load_faiss()
        known = np.flatnonzero(vectors.any(axis=1))
        vectors = np.ascontiguousarray(vectors if len(known) == len(vectors) else vectors[known])
        parameters = cls.parameters_for(*vectors.shape)
        name = cls.factory.format(**parameters)
        index = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_INNER_PRODUCT)
        cls.configure(index, parameters)
        if not index.is_trained:
            index.train(vectors)
        built = cls(parameters, index)
        built.add(known, vectors)
        return built

    @classmethod  # noqa: B027  (most kinds add nothing)
    def configure(cls, index: Any, parameters: dict[str, int]) -> None:
        """What the factory's name does not say of faiss's `index`, before it is trained."""

    @classmethod
    def read(cls, path: Path, parameters: dict[str, int], mapped: bool = False) -> Self:
        """The index that `write` wrote; read only files whose checksum holds, faiss trusts them.

        One that is `mapped` lies in its file, and cannot be changed.
        """
        faiss = load_faiss()
        return cls(parameters, faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0))

    def write(self, path: Path) -> None:
        """Write a built index to `path`, in faiss's own format."""
        load_faiss().write_index(self._index, str(path))

    @abstractmethod
    def nearest(
        self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool, among: Among
    ) -> Nearest:
        """Labels of the largest inner products, by faiss.

        Args:
            queries: float32[q, d].
            fetch: how many, at least one.
            exhaustive: look at every vector, whatever the kind leaves out to be fast.
            among: what may be found; a kind that leaves out vectors looks at 1 / share times as many.

        Returns:
            scores float32[q, fetch] and labels int64[q, fetch], -1 where nothing was found.
        """

    def __len__(self) -> int:
        return self.total - len(self._removed)

    @property
    def total(self) -> int:
        """Vectors, of removed labels too where they are still held."""
        return int(self._index.ntotal)

    @property
    def n_bytes(self) -> int:
        """Bytes of the index as written."""
        return len(load_faiss().serialize_index(self._index))

    def add(self, labels: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> None:
        """Put float32[n, d] `vectors` under labels that were never used before."""
        self._index.add_with_ids(np.ascontiguousarray(vectors), labels.astype(np.int64))

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """Never return these labels again; they must be in the index."""
        self._index.remove_ids(labels.astype(np.int64))

    def search(
        self,
        queries: npt.NDArray[np.float32],
        k: int,
        exclude: Ragged,
        kept: npt.NDArray[np.bool_] | None = None,
    ) -> Lists:
        """The `k` labels of largest inner product with each query, as the kind finds them.

        Excluded and removed labels are fetched too and left out afterwards; those that are not kept are
        never fetched. Where at most `EXHAUSTIVE_SHARE` is kept, the search is exhaustive. A query that comes
        back short while the index has more is searched again, exhaustively. A zero vector ranks nothing: its
        list is empty.

        Args:
            queries: float32[q, d].
            k: length of a list; may exceed the index.
            exclude: q rows of labels in the index, none twice in a row; all of them kept.
            kept: bool[labels], the only labels that may be returned, none of them removed; None for all.

        Returns:
            labels int32[q, k], best first, ties by `ties.rank`, -1 where the index has nothing left;
            and scores float32[q, k], -inf where the label is -1.
        """
        asked = np.flatnonzero(queries.any(axis=1))
        if len(asked) < len(queries):
            lists = topk.empty(len(queries), k)
            lists[0][asked], lists[1][asked] = self.search(queries[asked], k, exclude.take(asked), kept)
            return lists
        among, hidden = self._among(kept)
        # Rounded up, so that few searches do for a batch; by itself, so that a query's answer does not
        # depend on the others of its batch.
        needed = k + exclude.lengths + hidden
        fetches = 2 ** np.ceil(np.log2(needed)).astype(np.int64)  # (queries,)
        labels, scores = topk.empty(len(queries), k)
        narrow = kept is not None and among.share <= EXHAUSTIVE_SHARE
        for fetch in set(fetches.tolist()):
            rows = np.flatnonzero(fetches == fetch)
            found = self._allowed(queries[rows], k, exclude.take(rows), fetch, narrow, among)
            labels[rows], scores[rows] = found
        wanted = np.minimum(k, among.count - hidden - exclude.lengths)
        short = np.flatnonzero((labels >= 0).sum(axis=1) < wanted)
        if len(short):
            most, rest = int(needed[short].max()), exclude.take(short)
            labels[short], scores[short] = self._allowed(queries[short], k, rest, most, True, among)
        return labels, scores

    def _among(self, kept: npt.NDArray[np.bool_] | None) -> tuple[Among, int]:
        """What a search may find, and how many removed labels are among it."""
        if kept is None:
            return Among(self.total, 1.0), len(self._removed)
        count = int(np.count_nonzero(kept))
        selector = load_faiss().IDSelectorBitmap(np.packbits(kept, bitorder="little"))
        return Among(count, count / max(1, self.total), selector), 0

    def _allowed(
        self,
        queries: npt.NDArray[np.float32],
        k: int,
        exclude: Ragged,
        fetch: int,
        exhaustive: bool,
        among: Among,
    ) -> Lists:
        """The best `k` of `fetch` labels that are neither excluded nor removed, ties by `ties.rank`.

        Where the last that was fetched ties with the k-th, others may tie with it too: more is fetched.
        """
        fetch = min(fetch, among.count)
        if fetch == 0:
            return topk.empty(len(queries), k)
        scores, found = self.nearest(np.ascontiguousarray(queries), fetch, exhaustive, among)
        if (scores[:, 1:] >= scores[:, :-1]).any():
            order = np.lexsort((ties.rank(found.astype(np.int64)), -scores), axis=1)
            scores = np.take_along_axis(scores, order, axis=1)
            found = np.take_along_axis(found, order, axis=1)
        lists = self._first(k, found, scores, exclude)
        if fetch < among.count:
            crowded = np.flatnonzero(lists[1][:, -1] == scores[:, -1])
            if len(crowded):
                rest = exclude.take(crowded)
                more = self._allowed(queries[crowded], k, rest, 2 * fetch, exhaustive, among)
                lists[0][crowded], lists[1][crowded] = more
        return lists

    def _first(
        self, k: int, found: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], exclude: Ragged
    ) -> Lists:
        """The first `k` of each row of labels that are neither excluded nor removed."""
        labels, lists = found.astype(np.int32), topk.empty(len(found), k)
        allowed = (labels >= 0) & ~exclude.contains(labels)
        if len(self._removed):
            allowed &= ~np.isin(found, self._removed)
        places = allowed.cumsum(axis=1) - 1
        rows, columns = np.nonzero(allowed & (places < k))
        at = rows, places[rows, columns]
        lists[0][at], lists[1][at] = labels[rows, columns], scores[rows, columns]
        return lists


def load_faiss() -> Any:
    """The library; its own type stubs lack half of what it has."""
    import faiss

    return faiss
