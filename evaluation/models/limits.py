"""A fit that memory cannot hold is refused before it begins."""

from __future__ import annotations

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory


def check_memory(model: Retriever, train: Interactions, valid: Queries | None) -> None:
    """Refuse a fit of `model` to `train` that takes more memory than is free.

    Raises:
        InputError: it does; says what takes less.
    """
    check_bytes(model, train, model.fit_bytes(train, valid))


def check_bytes(model: Retriever, train: Interactions, need: int) -> None:
    """As `check_memory`, of what takes `need` bytes."""
    free = memory.available()
    if need > free:
        raise InputError(
            f"{model.name}: to fit {len(train):,} interactions of {train.n_users:,} users with "
            f"{train.n_items:,} items takes about {need >> 20:,} MiB of memory, {free >> 20:,} MiB are free: "
            f"{model.saves_memory.replace('MODEL', model.name)}"
        )
