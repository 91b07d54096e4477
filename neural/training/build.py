"""From a model's settings and training data to towers and batches."""

from __future__ import annotations

import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural.batches.batcher import Batcher, Taken
from retrieval_leaderboard.neural.batches.negatives import NegativeSampler
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.context import columns_of
from retrieval_leaderboard.neural.towers.head import HeadShape
from retrieval_leaderboard.neural.towers.neighbors import neighbors_of
from retrieval_leaderboard.neural.towers.shape import Shape, Vocabulary
from retrieval_leaderboard.neural.towers.two_towers import TwoTowers
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.support.errors import InputError


def towers_of(model: TwoTower, train: Interactions, generator: torch.Generator) -> TwoTowers:
    """Fresh towers for `train`; the settings of `model` are resolved."""
    user_columns, item_columns = (
        Columns.of(features) if model.features and features is not None else None
        for features in (train.user_features, train.item_features)
    )
    k = concrete(model.neighbors)
    vocabulary = Vocabulary(
        user_known=torch.as_tensor(train.user_counts > 0).float(),
        item_known=torch.as_tensor(train.item_counts > 0).float(),
        item_weight=torch.as_tensor(model.item_weights(train)),
        user_rows=_rows(user_columns, train.user_features),
        item_rows=_rows(item_columns, train.item_features),
        neighbors=neighbors_of(train, k, model.neighbor_weight) if k else None,
    )
    return TwoTowers(shape_of(model, train, user_columns, item_columns), vocabulary, generator)


def shape_of(
    model: TwoTower, train: Interactions, user_columns: Columns | None, item_columns: Columns | None
) -> Shape:
    """What the settings say of the towers.

    Raises:
        InputError: `context` is on and examples have no moment.
    """
    by_interaction = model.examples == "interaction"
    context = columns_of(train) if model.context else None
    if context is not None and not (context.coded and by_interaction):
        raise InputError(
            f"{model.name}.context needs a dataset with times and training examples per interaction; "
            "set context=false or examples=interaction"
        )
    return Shape(
        dim=model.embedding_dim,
        cosine=model.similarity == "cosine",
        user_share=model.user_share,
        shared=model.shared_history,
        newest=by_interaction,
        recency=model.recency if by_interaction else 0.0,
        history_encoder=model.history_encoder,
        heads=model.attention_heads,
        longest=model.max_history,
        frugal=model.gradient_checkpointing,
        id_dropout=model.id_dropout,
        history_dropout=model.history_dropout,
        head=HeadShape(model.widths, model.interaction, model.norm, model.dropout),
        user_columns=user_columns,
        item_columns=item_columns,
        context_columns=context,
    )


def _rows(columns: Columns | None, features: Features | None):
    return columns.rows(features) if columns is not None and features is not None else None


def batcher_of(model: TwoTower, taken: Taken, generator: torch.Generator) -> Batcher:
    """What makes the batches of an epoch."""
    counts = taken.item_counts
    return Batcher(
        batch_size=model.batch_size,
        sampler=NegativeSampler(counts, model.negatives, model.negative_exponent, model.cold_negatives),
        in_batch=model.in_batch,
        mask_history=model.examples == "user",
        user_weight=taken.user_counts.clamp(min=1).float() ** -model.user_exponent,
        popularity=counts.double() / counts.sum(),
        generator=generator,
        hard_per_row=model.hard_negatives,
    )
