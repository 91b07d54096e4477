"""Logs made by hand, and what their splits are checked by."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log

Event = tuple[int, int, int]


def make_log(events: list[Event], **fields) -> Log:
    """A log of (user, item, time) with codes as given."""
    user, item, timestamp = (np.array(column) for column in zip(*events, strict=True))
    content = {
        "name": "tiny",
        "user": user.astype(np.int32),
        "item": item.astype(np.int32),
        "user_ids": np.array([f"u{code}" for code in range(user.max() + 1)], dtype=object),
        "item_ids": np.array([f"i{code}" for code in range(item.max() + 1)], dtype=object),
        "timestamp": timestamp.astype(np.int64),
    }
    return Log(**(content | fields))


def whole_list(n_items: int) -> dict[str, np.ndarray]:
    """Fields of a log whose source lists all of `n_items` items that are taken, and one that nobody takes."""
    ids = np.array([f"i{code}" for code in range(n_items + 1)], dtype=object)
    return {"item_ids": ids, "listed": np.ones(n_items + 1, dtype=bool)}


def listed(queries: Queries) -> list[tuple[int, list[int], list[int], list[int]]]:
    return [
        (
            int(queries.user[row]),
            queries.history[row].tolist(),
            queries.exclude[row].tolist(),
            queries.relevant[row].tolist(),
        )
        for row in range(len(queries))
    ]


def rows_of(train: Interactions) -> dict[int, list[int]]:
    return {user: train.by_user[user].tolist() for user in range(train.n_users) if len(train.by_user[user])}


def check_contract(dataset: Dataset) -> None:
    """What every split keeps, whatever its protocol."""
    for part in (dataset.train, dataset.train_valid):
        pairs = part.user.astype(np.int64) * part.n_items + part.item
        assert len(np.unique(pairs)) == len(pairs)
        assert (np.diff(part.user) >= 0).all()
        assert part.user.dtype == part.item.dtype == np.int32
        assert (part.n_users, part.n_items) == (len(dataset.user_ids), len(dataset.item_ids))
        if part.timestamp is not None:
            same_user = part.user[1:] == part.user[:-1]
            assert (np.diff(part.timestamp)[same_user] >= 0).all()
    for queries in (dataset.valid, dataset.test):
        assert queries.user.dtype == np.int32
        assert (queries.relevant.lengths > 0).all()
        for _, _, exclude, relevant in listed(queries):
            assert not set(exclude) & set(relevant)
            assert len(set(relevant)) == len(relevant)


def published_log(train: list[tuple[int, int]], test: list[tuple[int, int]], **fields) -> Log:
    pairs = train + test
    part = np.array([TRAIN] * len(train) + [TEST] * len(test), dtype=np.uint8)
    log = make_log([(user, item, 0) for user, item in pairs], timestamp=None, ordered=False)
    return Log(**(vars(log) | {"part": part} | fields))


def in_one_block(items: list[int], length: int) -> bool:
    """Whether `items` are neighbors among the whole numbers below `length`, 0 following the last."""
    there = np.isin(np.arange(length), items)
    return int((there & ~np.roll(there, 1)).sum()) == 1


def one_user(*items: int) -> list[Event]:
    return [(0, item, moment) for moment, item in enumerate(items)]
