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
    """One model with its settings, equal for all who do it."""

    title: str
    peers: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    equal: bool = True
    """Whether all who do it should return the same lists, near enough."""


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
    "item_cf-target": Work(
        "ItemKNN, cosine, 200 neighbors of each returned item",
        ("recbole",),
        COSINE | {"prune_axis": "target"},
        "RecBole multiplies histories by similarities while it fits.",
    ),
    "item_cf-history": Work(
        "ItemKNN, cosine, 200 neighbors of each history item",
        ("implicit", "lenskit"),
        COSINE | {"prune_axis": "history"},
        "implicit is asked for 201, of which the item itself is one.",
    ),
    "als": Work(
        "ALS, 64 factors, 15 iterations, λ 10, α 10",
        ("implicit", "lenskit"),
        FACTORS,
        "This suite fits with implicit; LensKit solves exactly, implicit by conjugate gradient steps.",
    ),
    "swing": Work(
        "Swing, α 1, 200 neighbors of each history item",
        ("librecommender",),
        {"model": "swing", "neighbors": 200, "smoothing": 1.0},
        "LibRecommender's class wants TensorFlow to be imported, but not to fit: its Rust engine is called "
        "as the class does. The engine counts one shared item less than the formula: it is given α 2.",
    ),
    "bpr": Work(
        "2 epochs: BPR in RecBole, InfoNCE here, 64 dimensions",
        ("recbole",),
        {"model": "bpr", "epochs": 2, "negatives": 1},
        "Two epochs train neither model to its end, and they are not the same model: only the seconds of an "
        "epoch compare.",
        equal=False,
    ),
    "simplex": Work(
        "1 epoch of SimpleX, 100 negatives, 64 dimensions",
        ("recbole",),
        {"model": "simplex", "epochs": 1, "negatives": 100},
        "RecBole draws 100 negatives for each interaction, this suite 100 for each batch; one epoch trains "
        "neither to its end.",
        equal=False,
    ),
}
