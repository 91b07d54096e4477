"""Ablations: the settings of two-tower models that `studies.findings` changes, one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from retrieval_leaderboard.evaluation.models import registry, settings

Settings = dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """A dataset that studies are made on."""

    dataset: str
    settings: Settings = field(default_factory=dict)
    """that every variant has, so that a study takes minutes"""


PLAIN = {"popularity_exponent": 0.0, "features": False, "id_dropout": 0.0}
"""So that what is compared ranks by its vectors alone"""
SETUPS = (
    Setup("gowalla", PLAIN | {"epochs": 10, "neighbors": 0}),
    Setup("amazon-beauty", PLAIN | {"neighbors": 0}),
    Setup("ml-100k", PLAIN),
)


@dataclass(frozen=True)
class Study:
    """An ablation: variants whose scores are compared in a table of docs/findings.md."""

    name: str
    """of the table's mark in the page, where the question and the finding stand too"""
    variants: dict[str, tuple[str, Settings]]
    """Label → model and the settings in which it differs from its defaults; the others are compared with
    the first"""
    setups: tuple[Setup, ...] = SETUPS
    """Where they are scored"""
    costs: bool = False
    """Whether the table has seconds and peak memory too"""


def _values(setting: str, *values: Any, **changed: Any) -> dict[str, tuple[str, Settings]]:
    """Variants of InfoNCE, with `changed` settings, that differ in one setting."""
    return {str(value): ("infonce", changed | {setting: value}) for value in values}


BEAUTY, ML_100K = SETUPS[1:]
ML_1M = Setup("ml-1m", PLAIN | {"epochs": 1})
FEATURES = Setup(
    "aliec-sim",
    PLAIN
    | {
        "features": True, "cold_negatives": True, "mlp": "256-128", "norm": "layer", "learning_rate": 0.01,
        "weight_decay": 0.1, "temperature": 0.1, "epochs": 6,
    },
)  # fmt: skip
"""InfoNCE as configs/aliec-sim.yaml has it, rounded, without dropout of ids"""

STUDIES = (
    Study(
        "loss",
        {
            "InfoNCE": ("infonce", {"negatives": 2048, "in_batch": False}),
            "BSL": ("bsl", {}),
            "CCL": ("simplex_ccl", {}),
            "BCE": ("dssm_bce", {}),
        },
    ),
    Study(
        "negative weight",
        {
            "as much: a softmax without the target in its sum": ("bsl", {"negative_weight": 1.0}),
            "1.1 times": ("bsl", {"negative_weight": 1.1}),
            "1.2 times": ("bsl", {"negative_weight": 1.2}),
            "1.4 times": ("bsl", {"negative_weight": 1.4}),
        },
    ),
    Study(
        "negatives",
        {
            "in-batch and 512 uniform, logQ correction": ("infonce", {}),
            "the same without logQ correction": ("infonce", {"logq_correction": False}),
            "in-batch alone, logQ correction": ("infonce", {"negatives": 0}),
            "in-batch alone, no correction": ("infonce", {"negatives": 0, "logq_correction": False}),
            "2,048 uniform, logQ correction": ("infonce", {"negatives": 2048, "in_batch": False}),
            "2,048 by popularity^½, logQ correction": (
                "infonce",
                {"negatives": 2048, "in_batch": False, "negative_exponent": 0.5},
            ),
        },
    ),
    Study(
        "number of negatives",
        {
            "2,048": ("infonce", {"negatives": 2048, "in_batch": False}),
            "128": ("infonce", {"negatives": 128, "in_batch": False}),
            "512": ("infonce", {"negatives": 512, "in_batch": False}),
            "8,192": ("infonce", {"negatives": 8192, "in_batch": False}),
        },
    ),
    Study(
        "temperature",
        {
            "by the data's size": ("infonce", {}),
            "0.05": ("infonce", {"temperature": 0.05}),
            "0.1": ("infonce", {"temperature": 0.1}),
            "0.15": ("infonce", {"temperature": 0.15}),
            "0.2": ("infonce", {"temperature": 0.2}),
        },
    ),
    Study(
        "similarity",
        {
            "cosine": ("infonce", {}),
            "dot product, temperature 1": ("infonce", {"similarity": "dot", "temperature": 1.0}),
            "dot product, temperature 0.1": ("infonce", {"similarity": "dot", "temperature": 0.1}),
            "cosine, items times popularity^0.05": ("infonce", {"popularity_exponent": 0.05}),
            "cosine, items times popularity^0.15": ("infonce", {"popularity_exponent": 0.15}),
        },
    ),
    Study(
        "user",
        {
            "the history": ("infonce", {}),
            "half history, half an id": ("infonce", {"user_share": 0.5}),
            "an id": ("infonce", {"user_share": 1.0}),
            "the history, of the items' own embeddings": ("infonce", {"shared_history": True}),
            "the history, popular items not weighed down": ("infonce", {"history_exponent": 0.0}),
            "half history, weighed by the id's attention, half an id": (
                "infonce",
                {"user_share": 0.5, "history_encoder": "user_attention"},
            ),
            "the history, its mean attending to its items": (
                "infonce",
                {"history_encoder": "self_attention"},
            ),
        },
    ),
    Study(
        "propagation",
        {
            "none": ("infonce", {}),
            "5, weighing 5 together": ("infonce", {"neighbors": 5}),
            "20, weighing 5 together": ("infonce", {"neighbors": 20}),
            "50, weighing 5 together": ("infonce", {"neighbors": 50}),
            "20, weighing 1 together": ("infonce", {"neighbors": 20, "neighbor_weight": 1.0}),
        },
    ),
    Study(
        "averaging",
        {
            "the last, the learning rate falling to 0": ("infonce", {}),
            "the mean over the last half of the steps": ("infonce", {"averaging": 0.5}),
            "over the last seven tenths": ("infonce", {"averaging": 0.7}),
        },
    ),
    Study(
        "dimensions",
        {
            "64": ("infonce", {}),
            "32": ("infonce", {"embedding_dim": 32}),
            "128": ("infonce", {"embedding_dim": 128}),
            "256": ("infonce", {"embedding_dim": 256}),
        },
    ),
    Study(
        "interaction",
        _values("interaction", "none", "cross", "fm")
        | {"no deep part": ("infonce", {"mlp": "", "norm": "none"})},
        (FEATURES,),
    ),
    Study("dropout", _values("dropout", 0.0, 0.1, 0.3), (FEATURES,)),
    Study("norm", _values("norm", "layer", "none"), (FEATURES,)),
    Study("id_dropout", _values("id_dropout", 0.0, 0.1, 0.2), (FEATURES,)),
    Study("context", _values("context", False, True, examples="interaction"), (FEATURES, ML_100K)),
    Study(
        "examples",
        _values("examples", "user", "interaction", history_encoder="mean", neighbors=0),
        (FEATURES, ML_100K, Setup("ml-1m", PLAIN)),
    ),
    Study("max_history", _values("max_history", 50, 10, 200), (ML_100K, ML_1M)),
    Study("hard negatives", _values("hard_negatives", 0, 4, 16), (BEAUTY, ML_100K)),
    Study(
        "gradient checkpointing",
        _values("gradient_checkpointing", False, True, max_history=200),
        (ML_1M,),
        costs=True,
    ),
)


def setups() -> list[Setup]:
    """Where the studies are scored, each once."""
    found: list[Setup] = []
    for study in STUDIES:
        found += [setup for setup in study.setups if setup not in found]
    return found


def resolved(model: str, changed: Settings) -> Settings:
    """Every setting of a model, those that are not `changed` by default."""
    return settings.resolve(registry.get(model), changed, "studies/ablations.py")
