"""Queries of a dataset or a service as the towers take them."""

from __future__ import annotations

import torch

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural.towers.columns import FeatureRows
from retrieval_leaderboard.neural.towers.context import codes_of
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule


def asked(towers: TwoTowerModule, queries: Queries, history: Ragged) -> tuple[QueryBatch, FeatureRows | None]:
    """The queries, and the profiles that come with them, where the towers are.

    Args:
        towers: they are put to.
        queries: users, features and contexts.
        history: what counts of the queries' histories.
    """
    device = towers.item_known.device
    values, offsets = history.compact()
    user, items, bounds = (
        torch.as_tensor(each, device=device).long() for each in (queries.user, values, offsets)
    )
    columns = towers.columns.context
    context = None if columns is None else codes_of(columns, queries).to(device)
    batch = QueryBatch.of(user, items, bounds[:-1], bounds[1:], len(values), context)
    given, columns = queries.user_features, towers.columns.user
    profiles = columns.rows(given).to(device) if given is not None and columns is not None else None
    return batch, profiles
