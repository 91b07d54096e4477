"""Blocks of users who take the items of their block: data on which every tower learns within seconds."""

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged

BLOCKS, USERS, ITEMS, HELD_OUT = 6, 20, 10, 2
SMALL = {"embedding_dim": 16, "batch_size": 32, "negatives": 60, "epochs": 30}


def interactions(rows: list[np.ndarray], n_items: int, ordered: bool = True) -> Interactions:
    user = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) for row in rows])
    items = np.concatenate(rows).astype(np.int32)
    return Interactions(user, items, None, len(rows), n_items, ordered)


def blocks(ordered: bool = False) -> tuple[Interactions, Queries]:
    """Users of block b took all but two of the items of block b; those two are the truth."""
    rng = np.random.default_rng(0)
    mixed = [rng.permutation(ITEMS) + ITEMS * (user % BLOCKS) for user in range(BLOCKS * USERS)]
    train = interactions([row[HELD_OUT:] for row in mixed], BLOCKS * ITEMS, ordered)
    relevant = Ragged.from_rows([row[:HELD_OUT].astype(np.int32) for row in mixed])
    queries = Queries(np.arange(len(mixed), dtype=np.int32), train.by_user, train.by_user, relevant)
    return train, queries
