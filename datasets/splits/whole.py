"""What splitting a part of a log's users must know of the whole log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import VALID, Log
from retrieval_leaderboard.datasets.splits.order import SOURCE, by_user, distinct, targeted

Items = npt.NDArray[np.bool_]
"""bool[n_items]"""


@dataclass(frozen=True)
class Whole:
    """A log that is split part by part, in the order of `Log.parts`."""

    log: Log
    """All rows, also those with items that are no candidates"""
    seed: int
    """Of all that is random"""
    periods: tuple[int, int] | None = None
    """The moments at which the validation and the test period begin, for protocols with a timeline"""
    known: Items | None = None
    """The candidates that are known when the validation period begins, for the same"""

    @cached_property
    def draws(self) -> np.random.Generator:
        """The stream of `seed`, which each part takes further."""
        return drawn_after(self.seed, 0)

    @cached_property
    def draws_after_pairs(self) -> np.random.Generator:
        """The same stream once each pair of user and item that can be asked for has had a number of it."""
        if self.log.by_user is None:  # The one part has just taken them.
            return self.draws
        return drawn_after(self.seed, sum(map(_able, self.log.parts())))

    @cached_property
    def has_valid(self) -> bool:
        """Whether the source has validation rows of its own."""
        return any(bool((part.part == VALID).any()) for part in self.log.parts() if part.part is not None)

    def order_of_ties(self, part: Log) -> npt.NDArray[np.integer]:
        """int[n]: a number for each row of a part, by which rows of one user and time are put in order."""
        if self.log.ties == SOURCE:
            return np.arange(len(part.user)) if part.by_user is None else part.by_user.row
        return self.order if part.by_user is None else self.order[part.by_user.row]

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """int64[rows of the source]: drawn by the seed."""
        return np.random.default_rng(self.seed).permutation(len(self.log.user))


def drawn_after(seed: int, numbers: int) -> np.random.Generator:
    """The stream of `seed` once so many numbers of it were drawn."""
    found = np.random.default_rng(seed)
    assert isinstance(found.bit_generator, np.random.PCG64)
    found.bit_generator.advance(numbers)
    return found


def _able(part: Log) -> int:
    order = by_user(part)
    return int(targeted(part, distinct(part, order), order).sum())
