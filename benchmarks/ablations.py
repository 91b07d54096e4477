"""One factor at a time: what `benchmarks.findings` changes of a two-tower model's defaults and scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from evaluation import registry, settings

Settings = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """A question, and the settings whose scores answer it."""

    question: str
    variants: dict[str, tuple[str, Settings]]
    """Label → model and the settings in which it differs from its defaults; the first is the one that
    the others are compared with"""


@dataclass(frozen=True)
class Place:
    """A dataset that the studies are made on."""

    dataset: str
    settings: Settings = field(default_factory=dict)
    """Of every variant, so that the studies take minutes"""


PLACES = (
    Place("gowalla", {"epochs": 10}),
    Place("amazon-beauty"),
    Place("ml-1m"),
    Place("ml-100k"),
)

STUDIES = (
    Study(
        "Which loss, against 2,048 uniform negatives?",
        {
            "InfoNCE": ("infonce", {"negatives": 2048, "in_batch": False}),
            "BSL": ("bsl", {}),
            "CCL": ("simplex_ccl", {}),
            "BCE": ("dssm_bce", {}),
        },
    ),
    Study(
        "Which negatives?",
        {
            "in-batch and 512 uniform, logQ correction": ("infonce", {}),
            "the same without logQ correction": ("infonce", {"correct_popularity": False}),
            "in-batch alone, logQ correction": ("infonce", {"negatives": 0}),
            "in-batch alone, no correction": ("infonce", {"negatives": 0, "correct_popularity": False}),
            "2,048 uniform, logQ correction": ("infonce", {"negatives": 2048, "in_batch": False}),
            "2,048 by popularity^½, logQ correction": (
                "infonce",
                {"negatives": 2048, "in_batch": False, "negative_exponent": 0.5},
            ),
        },
    ),
    Study(
        "How many uniform negatives, with logQ correction?",
        {
            "2,048": ("infonce", {"negatives": 2048, "in_batch": False}),
            "128": ("infonce", {"negatives": 128, "in_batch": False}),
            "512": ("infonce", {"negatives": 512, "in_batch": False}),
            "8,192": ("infonce", {"negatives": 8192, "in_batch": False}),
        },
    ),
    Study(
        "Which temperature?",
        {
            "by the data's size": ("infonce", {}),
            "0.05": ("infonce", {"temperature": 0.05}),
            "0.1": ("infonce", {"temperature": 0.1}),
            "0.15": ("infonce", {"temperature": 0.15}),
            "0.2": ("infonce", {"temperature": 0.2}),
        },
    ),
    Study(
        "Cosine or dot product?",
        {
            "cosine": ("infonce", {}),
            "dot product, temperature 1": ("infonce", {"similarity": "dot", "temperature": 1.0}),
            "dot product, temperature 0.1": ("infonce", {"similarity": "dot", "temperature": 0.1}),
            "cosine, items times popularity^0.05": ("infonce", {"popularity_exponent": 0.05}),
            "cosine, items times popularity^0.15": ("infonce", {"popularity_exponent": 0.15}),
        },
    ),
    Study(
        "What is the user made of?",
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
        },
    ),
    Study(
        "How many dimensions?",
        {
            "64": ("infonce", {}),
            "32": ("infonce", {"embedding_dim": 32}),
            "128": ("infonce", {"embedding_dim": 128}),
            "256": ("infonce", {"embedding_dim": 256}),
        },
    ),
)


def resolved(model: str, changed: Settings) -> Settings:
    """Every setting of a model, those that are not `changed` by default."""
    return settings.resolve(registry.get(model), changed, "benchmarks/ablations.py")
