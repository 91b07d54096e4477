"""Settings of two-tower models that have no meaning, refused before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from retrieval_leaderboard.evaluation.models.retriever import AUTO
from retrieval_leaderboard.support.errors import InputError, unknown

if TYPE_CHECKING:
    from retrieval_leaderboard.neural.tower_settings import TowerSettings

LEAST = {
    "embedding_dim": 1, "attention_heads": 1, "max_history": 1, "negatives": 0, "hard_negatives": 0,
    "batch_size": 1, "epochs": 1, "patience": 1, "weight_decay": 0, "neighbors": 0,
}  # fmt: skip
"""The least that a setting may be, where the model has it."""
POSITIVE = ("learning_rate", "neighbor_weight", "negative_weight", "temperature")
SHARES = ("averaging", "id_dropout", "history_dropout", "dropout", "user_share")
WHOLE = ("user_share",)
"""Shares that may be 1."""


def check(model: TowerSettings) -> None:
    """Refuse values without a meaning.

    Raises:
        InputError: naming the setting, its value and what it may be.
    """
    value: Any
    for setting, kind in get_type_hints(type(model)).items():
        value = getattr(model, setting, None)
        if get_origin(kind) is Literal and value not in get_args(kind):
            raise unknown(f"{model.name}.{setting}", str(value), get_args(kind))
    for setting, least in LEAST.items():
        value = getattr(model, setting, least)
        if value != AUTO and not value >= least:
            raise InputError(
                f"{model.name}.{setting} is {value}: give {least} or more{_or_auto(model, setting)}"
            )
    for setting in POSITIVE:
        value = getattr(model, setting, 1)
        if value != AUTO and not value > 0:
            raise InputError(f"{model.name}.{setting} is {value}: give more than 0{_or_auto(model, setting)}")
    for setting in SHARES:
        value = getattr(model, setting)
        if not (0 <= value < 1 or (value == 1 and setting in WHOLE)):
            most = "no more than 1" if setting in WHOLE else "less than 1"
            raise InputError(f"{model.name}.{setting} is {value}: give 0 or more, and {most}")
    if model.negatives < 1 and not model.in_batch:
        raise InputError(f"{model.name}: negatives is {model.negatives}: give 1 or more, or set in_batch")
    if model.negatives < 1 and model.hard_negatives:
        raise InputError(f"{model.name}: negatives is 0: give 1 or more beside hard_negatives")
    if model.averaging and model.norm == "batch" and model.mlp:
        raise InputError(
            f"{model.name}: averaging is {model.averaging} with norm=batch, whose running means would be of "
            "other weights: set averaging to 0, or norm to layer"
        )
    if not all(width.isdigit() and int(width) for width in model.mlp.split("-") if model.mlp):
        raise InputError(f"{model.name}.mlp is '{model.mlp}': give widths as 256-128, or nothing")


def _or_auto(model: TowerSettings, setting: str) -> str:
    return ", or auto" if setting in model.rules else ""
