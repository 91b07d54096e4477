"""What is to be done, and by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A library beside this suite."""

    title: str
    requirements: tuple[str, ...] = ()
    """What its own virtual environment holds; without any it runs in this one."""


@dataclass(frozen=True)
class Work:
    """One model with its settings, equal for all peers; docs/peers.md has a title and notes for it."""

    peers: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    equal: bool = True
    """Whether all peers should return the same lists, near enough"""


PEERS = {
    "recbole": Peer("RecBole", ("recbole==1.2.1", "numpy<2", "pandas<2.2", "torch==2.13.0")),
    "implicit": Peer("implicit"),
    "librecommender": Peer("LibRecommender (recfarm)", ("recfarm==0.2.1", "numpy<2", "scipy<1.13")),
    "lenskit": Peer("LensKit", ("lenskit==2025.8.1", "torch==2.13.0")),
    "ours": Peer("this suite"),
}

COSINE = {"model": "item_cf", "neighbors": 200}
FACTORS = {"model": "als", "factors": 64, "iterations": 15, "regularization": 10.0, "alpha": 10.0}

WORK = {
    "item_cf-target": Work(("recbole",), COSINE | {"prune_axis": "target"}),
    "item_cf-history": Work(("implicit", "lenskit"), COSINE | {"prune_axis": "history"}),
    "als": Work(("implicit", "lenskit"), FACTORS),
    "swing": Work(("librecommender",), {"model": "swing", "neighbors": 200, "smoothing": 1.0}),
    "bpr": Work(("recbole",), {"model": "bpr", "epochs": 2, "negatives": 1}, equal=False),
    "simplex": Work(("recbole",), {"model": "simplex", "epochs": 1, "negatives": 100}, equal=False),
}
