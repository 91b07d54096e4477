"""Item vectors in a faiss index of one of four kinds, searched by inner product."""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.support.errors import InputError, unknown

KINDS = ("flat", "ivf_flat", "hnsw", "ivf_pq")
EXACT_BELOW = 1_000_000
FULL_VECTORS_BELOW = 10_000_000
POINTS_A_CELL = 39
"""Training vectors a centroid that faiss's k-means asks for."""

Lists = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


def choose_kind(n_items: int) -> str:
    """The kind for a catalog of this size.

    Flat is exact, and fast enough below a million. Above, IVF-Flat reads a sixteenth of the
    vectors and still adds and removes items; from ten million on the vectors themselves (256 bytes
    each at 64 dimensions) are what does not fit, and IVF-PQ keeps codes instead. HNSW is never
    chosen unasked: it cannot remove items, builds slowest and takes most memory.
    """
    if n_items < EXACT_BELOW:
        return "flat"
    return "ivf_flat" if n_items < FULL_VECTORS_BELOW else "ivf_pq"


def parameters(kind: str, n_items: int, dimension: int) -> dict[str, int]:
    """What an index of `kind` is built and searched with, for a catalog of this size.

    Raises:
        InputError: an unknown kind, or no two items to learn codes from.
    """
    if kind not in KINDS:
        raise unknown("index kind", kind, (*KINDS, "auto"))
    if kind == "ivf_pq" and n_items < 2:
        raise InputError("an ivf_pq index learns its codes from two items or more: take flat")
    if kind == "flat":
        return {}
    if kind == "hnsw":
        return {"M": 32, "efConstruction": 200, "efSearch": 128}
    # 4·√n cells of √n/4 items: comparing with centroids then costs about as much as with items.
    nlist = max(1, min(4 * isqrt(n_items), n_items // POINTS_A_CELL))
    cells = {"nlist": nlist, "nprobe": min(nlist, max(8, nlist // 16))}
    return cells if kind == "ivf_flat" else cells | _code(n_items, dimension)


def _code(n_items: int, dimension: int) -> dict[str, int]:
    """Product quantizer: a byte for every four dimensions, fewer bits where there is little to learn from."""
    m = max(part for part in range(1, max(1, dimension // 4) + 1) if dimension % part == 0)
    return {"m": m, "nbits": max(1, min(8, n_items.bit_length() - 1))}


class VectorIndex:
    """Vectors under labels. Labels are item codes below the catalog's size, and later numbers above it.

    A search may run beside other searches, never beside `add` or `remove`.
    """

    def __init__(self, kind: str, chosen: dict[str, int], index: Any) -> None:
        self.kind = kind
        self.parameters = chosen
        self._index = index
        self._dead: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        """Removed labels that an HNSW graph still holds: without them its paths would break."""

    @classmethod
    def build(cls, vectors: npt.NDArray[np.float32], kind: str, chosen: dict[str, int]) -> VectorIndex:
        """Index float32[n, d] `vectors` under the labels 0 … n - 1."""
        faiss = _faiss()
        name = _factory_name(kind, chosen)
        index = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_INNER_PRODUCT)
        if kind == "hnsw":
            faiss.downcast_index(index.index).hnsw.efConstruction = chosen["efConstruction"]
        if "nlist" in chosen:
            index.cp.min_points_per_centroid = 1
        if kind == "ivf_pq":
            index.pq.cp.min_points_per_centroid = 1
            # It orders codes for a Hamming filter that is not used here, and takes far longer than the rest.
            index.do_polysemous_training = False
        vectors = np.ascontiguousarray(vectors)
        if not index.is_trained:
            index.train(vectors)
        built = cls(kind, chosen, index)
        built.add(np.arange(len(vectors)), vectors)
        return built

    @classmethod
    def read(cls, path: Path, kind: str, chosen: dict[str, int]) -> VectorIndex:
        """The index that `write` wrote; read only files whose checksum holds, faiss trusts them."""
        faiss = _faiss()
        return cls(kind, chosen, faiss.read_index(str(path)))

    def write(self, path: Path) -> None:
        """Write a built index to `path`, in faiss's own format."""
        faiss = _faiss()
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return self._index.ntotal - len(self._dead)

    @property
    def n_bytes(self) -> int:
        """Bytes of the index as written."""
        faiss = _faiss()
        return len(faiss.serialize_index(self._index))

    def add(self, labels: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> None:
        """Put float32[n, d] `vectors` under labels that were never used before."""
        self._index.add_with_ids(np.ascontiguousarray(vectors), labels.astype(np.int64))

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """Never return these labels again; they must be in the index."""
        if self.kind == "hnsw":
            self._dead = np.concatenate([self._dead, labels])
        else:
            self._index.remove_ids(labels.astype(np.int64))

    def search(self, queries: npt.NDArray[np.float32], k: int, exclude: Ragged) -> Lists:
        """The `k` labels of largest inner product with each query, as the kind finds them.

        Excluded and dead labels are fetched too and left out afterwards. A query that comes back
        short while the index has more is searched again, exhaustively.

        Args:
            queries: float32[q, d].
            k: length of a list; may exceed the index.
            exclude: q rows of labels in the index, none twice in a row.

        Returns:
            labels int32[q, k], best first, ties by `ties.rank`, -1 where the index has nothing left;
            and scores float32[q, k], -inf where the label is -1.
        """
        # Rounded up, so that few searches do for a batch; by itself, so that a query's answer does not
        # depend on the others of its batch.
        needed = k + exclude.lengths + len(self._dead)
        fetches = 2 ** np.ceil(np.log2(needed)).astype(np.int64)  # (queries,)
        labels = np.full((len(queries), k), -1, dtype=np.int32)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for fetch in np.unique(fetches):
            rows = np.flatnonzero(fetches == fetch)
            found = self._allowed(queries[rows], k, exclude.take(rows), int(fetch), exhaustive=False)
            labels[rows], scores[rows] = found
        wanted = np.minimum(k, len(self) - exclude.lengths)
        short = np.flatnonzero((labels >= 0).sum(axis=1) < wanted)
        if len(short):
            most, rest = int(needed[short].max()), exclude.take(short)
            labels[short], scores[short] = self._allowed(queries[short], k, rest, most, exhaustive=True)
        return labels, scores

    def _allowed(
        self, queries: npt.NDArray[np.float32], k: int, exclude: Ragged, fetch: int, exhaustive: bool
    ) -> Lists:
        """The best `k` of `fetch` labels that are neither excluded nor dead, ties by `ties.rank`.

        Where the last that was fetched ties with the k-th, others may tie with it too: more is fetched.
        """
        fetch = min(fetch, self._index.ntotal)
        scores, found = self._nearest(np.ascontiguousarray(queries), fetch, exhaustive)  # (queries, fetch)
        order = np.lexsort((ties.rank(found.astype(np.int64)), -scores), axis=1)
        scores, found = (np.take_along_axis(part, order, axis=1) for part in (scores, found))
        lists = self._first(k, found, scores, exclude)
        if fetch < self._index.ntotal:
            crowded = np.flatnonzero(lists[1][:, -1] == scores[:, -1])
            if len(crowded):
                more = self._allowed(queries[crowded], k, exclude.take(crowded), 2 * fetch, exhaustive)
                lists[0][crowded], lists[1][crowded] = more
        return lists

    def _first(
        self, k: int, found: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], exclude: Ragged
    ) -> Lists:
        """The first `k` of each row of labels that are neither excluded nor dead."""
        labels = found.astype(np.int32)
        refused = (labels < 0) | exclude.contains(labels) | np.isin(found, self._dead)
        kept = np.argsort(refused, axis=1, kind="stable")[:, :k]
        labels = np.take_along_axis(labels, kept, axis=1)
        scores = np.take_along_axis(scores, kept, axis=1)
        refused = np.take_along_axis(refused, kept, axis=1)
        places = ((0, 0), (0, k - kept.shape[1]))
        return (
            np.pad(np.where(refused, np.int32(-1), labels), places, constant_values=-1),
            np.pad(np.where(refused, np.float32(-np.inf), scores), places, constant_values=-np.inf),
        )

    def _nearest(self, queries: npt.NDArray[np.float32], fetch: int, exhaustive: bool) -> Any:
        """Scores float32[q, fetch] and labels int64[q, fetch], -1 where nothing was found."""
        faiss = _faiss()
        if fetch == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if self.kind == "flat":
            return self._index.search(queries, fetch)
        if self.kind == "hnsw":
            if exhaustive:
                return self._scan_graph(queries, fetch)
            effort = faiss.SearchParametersHNSW(efSearch=max(self.parameters["efSearch"], fetch))
        else:
            cells = self.parameters["nlist" if exhaustive else "nprobe"]
            effort = faiss.SearchParametersIVF(nprobe=cells)
        return self._index.search(queries, fetch, params=effort)

    def _scan_graph(self, queries: npt.NDArray[np.float32], fetch: int) -> Any:
        """All vectors under an HNSW graph, exactly: parts of a graph may be out of reach."""
        faiss = _faiss()
        vectors = faiss.downcast_index(faiss.downcast_index(self._index.index).storage)
        scores, place = vectors.search(queries, fetch)
        return scores, faiss.vector_to_array(self._index.id_map)[place]


def _faiss() -> Any:
    """The library; its own type stubs lack half of what it has."""
    import faiss

    return faiss


def _factory_name(kind: str, chosen: dict[str, int]) -> str:
    """How faiss's index factory calls it."""
    return {
        "flat": "IDMap,Flat",
        "hnsw": "IDMap,HNSW{M},Flat",
        "ivf_flat": "IVF{nlist},Flat",
        "ivf_pq": "IVF{nlist},PQ{m}x{nbits}",
    }[kind].format(**chosen)
