"""Index kinds, a class in a file each; a new one is added to _ALL."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.serving.indexes.base import VectorIndex
from retrieval_leaderboard.serving.indexes.flat import Flat
from retrieval_leaderboard.serving.indexes.grown import Grown
from retrieval_leaderboard.serving.indexes.hnsw import Hnsw
from retrieval_leaderboard.serving.indexes.ivf_flat import IvfFlat
from retrieval_leaderboard.serving.indexes.ivf_pq import IvfPq
from retrieval_leaderboard.support.errors import unknown

__all__ = ["AUTO", "KINDS", "VectorIndex", "choose", "get", "read"]

AUTO = "auto"
_ALL = (Flat, IvfFlat, Hnsw, IvfPq)
KINDS: dict[str, type[VectorIndex]] = {each.kind: each for each in _ALL}
"""Name → class, in the order of boards"""


def get(kind: str) -> type[VectorIndex]:
    """The class of a kind; InputError, with the nearest name, for an unknown one."""
    if kind not in KINDS:
        raise unknown("index kind", kind, (*KINDS, AUTO))
    return KINDS[kind]


def read(kind: str, path: Path, parameters: dict[str, int], shared: bool = False) -> VectorIndex:
    """The index of a kind that was written to `path`, whose checksum holds.

    Args:
        kind: as `get` takes it; InputError as there.
        path: of the file.
        parameters: what it was built with.
        shared: let it lie in its file, whose pages processes share; what is added is kept beside it.
    """
    found = get(kind).read(path, parameters, mapped=shared)
    return Grown(found) if shared else found


def choose(n_items: int) -> type[VectorIndex]:
    """The kind for a catalog of this size: of those that may be chosen, the one for the largest catalogs."""
    sizes = [(each.auto_from, name) for name, each in KINDS.items() if each.auto_from is not None]
    return KINDS[max((size, name) for size, name in sizes if size <= n_items)[1]]
