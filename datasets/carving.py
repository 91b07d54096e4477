"""Which of each user's rows are held out: drawn one by one, or one stretch of neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from datasets.ragged import offsets_of

Carve = Callable[[npt.NDArray[np.int32], int, np.random.Generator], npt.NDArray[np.bool_]]
"""(user of each row, percent, generator) → which rows are held out"""


def draw(user: npt.NDArray[np.int32], percent: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """bool[n]: `percent` of each user's rows, rounded; `user` is ascending.

    A tenth is nothing for a user of fewer than five rows; a fifth is nothing for one of fewer than three.
    """
    lengths = np.bincount(user)
    shuffled = np.argsort(user + rng.random(len(user)), kind="stable")  # within each user
    drawn = np.zeros(len(user), dtype=bool)
    drawn[shuffled[_rank(user, lengths) < _rounded(lengths, percent)[user]]] = True
    return drawn


def stretch(user: npt.NDArray[np.int32], percent: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Like `draw`, but neighbours: from a row drawn for each user on, the first following the last."""
    lengths = np.bincount(user)
    first = (rng.random(len(lengths)) * lengths).astype(np.int64)  # (users,)
    after = (_rank(user, lengths) - first[user]) % lengths[user]
    drawn: npt.NDArray[np.bool_] = after < _rounded(lengths, percent)[user]
    return drawn


def _rank(user: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[n]: the place of each row among its user's."""
    return np.arange(len(user)) - offsets_of(lengths)[user]


def _rounded(lengths: npt.NDArray[np.int64], percent: int) -> npt.NDArray[np.int64]:
    return (lengths * percent + 50) // 100


def lie_together(user: npt.NDArray[np.int32], held: npt.NDArray[np.bool_]) -> bool:
    """Whether neighbouring rows of a user are both `held` clearly more often than in a random draw.

    A draw of k among n rows has k (k - 1) / n such neighbours on average. The counts of users are
    independent and their variances are below that average for k < n / 2, so that 6 times its root,
    plus a tenth for good measure, is beyond chance.
    """
    n = np.bincount(user)
    k = np.bincount(user, weights=held)
    by_chance = float((k * (k - 1) / np.maximum(n, 1)).sum())
    together = int((held[1:] & held[:-1] & (user[1:] == user[:-1])).sum())
    return together > 1.1 * by_chance + 6 * by_chance**0.5
