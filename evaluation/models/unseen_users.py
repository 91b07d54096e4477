"""Whether a model answers a user it has never seen (user -1) from the row of one user it has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever

HISTORIES = np.empty(0, dtype=np.int32), np.array([0, 1, 2, 3, 5], dtype=np.int32)
"""None, and items of several blocks of the planted data, which no user of it has taken in this order"""
PROBES, LENGTH = 256, 20
"""Users that are asked for, and items for each"""
DIRECTION = 1e-6
"""By how much the cosine of two vectors of one direction may be off 1 for rounding"""

Scores = npt.NDArray[np.float32]


def double(model: Retriever, data: Dataset) -> int | None:
    """The known user of `data` whose answer an unseen user gets, with a history or without; None for nobody.

    Models that do not look at who asks answer all users alike: where half of them get its
    answer, it is nobody's own.
    """
    users = np.arange(len(data.user_ids), dtype=np.int32)
    for history in HISTORIES:
        known = _asked(users, history)
        alike = _alike(_scores(model, _unknown(known), data), _scores(model, known, data))
        if 0 < alike.sum() < len(alike) / 2:
            return int(users[-1] if alike[-1] else np.argmax(alike))
    return None


def answers(model: Retriever, user: int, data: Dataset) -> Scores:
    """float32[2, items]: what `model` gives to `user` without a history and with one, NaN for no item."""
    asked = np.array([user], dtype=np.int32)
    return np.concatenate([_scores(model, _asked(asked, history), data) for history in HISTORIES])


def untrained(
    fitted: EmbeddingRetriever, other_data: EmbeddingRetriever, other_seed: EmbeddingRetriever, user: int
) -> bool:
    """Whether the answer for `user` without a history comes from a random vector that was never learned.

    Such a vector has the same direction after fits of one seed on different data, and another one after a
    fit with another seed. One that says something of the data changes with the data; a constant, such as one
    that asks for a bias alone, does not change with the seed.

    Args:
        fitted, other_data, other_seed: of one model; `user` has no interactions in any of their data.
        user: a code, or -1.
    """
    asked = _asked(np.array([user], dtype=np.int32), HISTORIES[0])
    first, data, seed = (model.encode_queries(asked)[0] for model in (fitted, other_data, other_seed))
    return first.any() and _same_direction(first, data) and not _same_direction(first, seed)


def _same_direction(first: Scores, second: Scores) -> bool:
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return lengths > 0 and float(first @ second) / lengths > 1 - DIRECTION


def double_of_vectors(
    model: EmbeddingRetriever, users: npt.NDArray[np.int32], history: npt.NDArray[np.int32]
) -> int | None:
    """The first or last of a fitted model's `users` whose vector an unseen user gets and no other user does.

    Args:
        model: fitted on data of any kind.
        users: int32[n], codes of users with interactions, ascending.
        history: int32[m], items; unseen users are asked for with it and without.
    """
    probes = _probes(users)
    for known in (_asked(probes, history[:0]), _asked(probes, history)):
        alike = _alike(model.encode_queries(_unknown(known)), model.encode_queries(known))
        if _is_one_end(alike):
            return int(probes[np.argmax(alike)])
    return None


def double_of_lists(model: Retriever, users: npt.NDArray[np.int32]) -> int | None:
    """As `double_of_vectors`, by the lists of a fitted model: those that it gives without a history.

    Args:
        model: fitted on data of any kind.
        users: int32[n], codes of users with interactions, ascending.
    """
    probes = _probes(users)
    known = _asked(probes, HISTORIES[0])
    (unseen, scores), (own, own_scores) = (model.recommend(each, LENGTH) for each in (_unknown(known), known))
    same = (unseen == own).all(axis=1) & np.isclose(scores, own_scores, rtol=1e-5, atol=1e-7).all(axis=1)
    alike = same & (own >= 0).any(axis=1)
    return int(probes[np.argmax(alike)]) if _is_one_end(alike) else None


def _probes(users: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Some of the users, the first and the last among them."""
    return users[np.unique(np.linspace(0, len(users) - 1, min(len(users), PROBES)).astype(np.int64))]


def _is_one_end(alike: npt.NDArray[np.bool_]) -> bool:
    """Whether only the first or only the last of several is."""
    return bool(alike.sum() == 1 and (alike[0] or alike[-1]) and len(alike) > 2)


def _asked(users: npt.NDArray[np.int32], history: npt.NDArray[np.int32]) -> Queries:
    histories = Ragged.from_rows([history] * len(users))
    moments = np.zeros(len(users), dtype=np.int64)
    return Queries(users, histories, histories, Ragged.empty(len(users)), moments)


def _unknown(queries: Queries) -> Queries:
    return replace(queries, user=np.full(len(queries), -1, dtype=np.int32))


def _alike(first: Scores, second: Scores) -> npt.NDArray[np.bool_]:
    """bool[q]: whether two float32[q, n] agree in a row that is not empty."""
    answered = np.nan_to_num(first).any(axis=1)
    close = np.isclose(first, second, rtol=1e-5, atol=1e-7, equal_nan=True)
    return np.asarray(answered & close.all(axis=1))


def _scores(model: Retriever, queries: Queries, data: Dataset) -> Scores:
    """float32[q, items]: the score of each item that is returned, NaN for the others."""
    n_items = len(data.item_ids)
    items, scores = model.recommend(queries, n_items)
    table = np.full((len(queries), n_items), np.nan, dtype=np.float32)
    rows, positions = np.nonzero(items >= 0)
    table[rows, items[rows, positions]] = scores[rows, positions]
    return table
