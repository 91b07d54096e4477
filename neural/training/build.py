"""From a model's settings and training data to towers and batches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural.batches.batcher import Batcher
from retrieval_leaderboard.neural.batches.examples import InteractionTensors
from retrieval_leaderboard.neural.batches.negatives import samplers_of
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers import context
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.neighbors import neighbors_of
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.towers.vocabulary import TowerColumns, Vocabulary
from retrieval_leaderboard.support.errors import InputError


def towers_of(
    settings: TowerSettings,
    train: Interactions,
    generator: torch.Generator,
    columns: TowerColumns | None = None,
) -> TwoTowerModule:
    """Fresh towers for `train`, that see the features as `columns`, or as `columns_of` says.

    The settings are resolved.

    Raises:
        InputError: they need an order in time that `train` lacks.
    """
    if settings.history_encoder == "causal" and not train.ordered:
        raise InputError(f"{settings.name} learns from items in time order, which this data does not have")
    columns = columns or columns_of(settings, train)
    k = concrete(settings.neighbors)
    vocabulary = Vocabulary(
        user_known=torch.as_tensor(train.user_counts > 0).float(),
        item_known=torch.as_tensor(train.item_counts > 0).float(),
        item_weight=torch.as_tensor(item_weights(settings, train)),
        columns=columns,
        user_rows=_rows(columns.user, train.user_features),
        item_rows=_rows(columns.item, train.item_features),
        neighbors=neighbors_of(train, k, settings.neighbor_weight) if k else None,
    )
    return TwoTowerModule(settings, vocabulary, generator)


def item_weights(settings: TowerSettings, train: Interactions) -> npt.NDArray[np.float32]:
    """float32[n_items]: the weight of each item in the mean of a history, but for recency."""
    return (np.maximum(train.item_counts, 1) ** -settings.history_exponent).astype(np.float32)


def columns_of(settings: TowerSettings, train: Interactions) -> TowerColumns:
    """The features that the settings let the towers see.

    Raises:
        InputError: `context` is on and examples have no moment.
    """
    user, item = (
        Columns.of(features) if settings.features and features is not None else None
        for features in (train.user_features, train.item_features)
    )
    moment = context.columns_of(train) if settings.context else None
    if moment is not None and (not moment.coded or settings.examples == "user"):
        lifts = "" if not moment.coded else " or examples=interaction"
        raise InputError(
            f"{settings.name}.context needs a dataset with times and training examples per interaction or "
            f"sequence; set context=false{lifts}"
        )
    return TowerColumns(user, item, moment)


def _rows(columns: Columns | None, features: Features | None):
    return columns.rows(features) if columns is not None and features is not None else None


def batcher_of(
    settings: TowerSettings,
    interactions: InteractionTensors,
    generator: torch.Generator,
    kind: type[Batcher] = Batcher,
) -> Batcher:
    """What makes the batches of an epoch."""
    return kind(
        batch_size=settings.batch_size,
        samplers=samplers_of(settings, interactions),
        mask_history=settings.examples == "user",
        user_weight=interactions.user_counts.clamp(min=1).float() ** -settings.user_exponent,
        n_items=len(interactions.item_counts),
        generator=generator,
    )
