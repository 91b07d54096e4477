"""Requests to a recommender, and its answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral

from retrieval_leaderboard.datasets.times import parse
from retrieval_leaderboard.serving.bundles.columns import Filter
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues
from retrieval_leaderboard.support.errors import InputError

MAX_HISTORY = 1000
"""Raw items that one request may give as history; a model weighs the newest most."""
MAX_EXCLUDED = 1000
"""Raw items that one request may exclude, beside those of the histories"""
MAX_K = 1000
"""Items that one request may ask for."""


def moment(timestamp: int | float | str) -> int:
    """Unix seconds of a moment, read as the times of a log are.

    Args:
        timestamp: seconds, milliseconds, microseconds or nanoseconds since 1970, recognized by its size,
            or ISO 8601.

    Raises:
        InputError: what is no moment, or one before 1970.
    """
    seconds = parse.read_one(timestamp)
    if seconds < 0:
        raise InputError(f"timestamp is {timestamp!r}: give unix seconds from 0 on, or ISO 8601 from 1970 on")
    return seconds


@dataclass(frozen=True)
class Request:
    """A user at a moment, by raw ids; at least one of the first three is given."""

    user_id: str | None = None
    history: Sequence[str] | None = None
    """item ids in time order; None takes the user's training history"""
    features: Raw | None = None
    """describe a user the model was not trained with; of one it was, it keeps the training's"""
    k: int = 20
    timestamp: int | float | str | None = None
    """the moment, in any form that a log may have: see `moment`; None is now"""
    context: Raw | None = None
    """where it is asked, in the columns of the interactions' context; None where that is not known"""
    exclude_seen: bool | None = None
    """keep the items of both histories out of the answer; None does as the dataset's protocol"""
    exclude: Sequence[str] = ()
    """item ids to keep out of the answer; one that the catalog does not have changes nothing"""
    filter: Filter | None = None
    """item columns and what the answer's items must have in each of them: a list of categories, of which one
    is enough, or a range {"min": …, "max": …} of numbers, both included; an unknown value never fits"""

    def check(self) -> None:
        """Refuse what cannot be answered.

        Raises:
            InputError: nothing is given, a wrong type, `k` or a list of items outside its limits.
        """
        if self.user_id is None and self.history is None and self.features is None:
            raise InputError("the request names no user: give user_id, history or features")
        if not (self.user_id is None or isinstance(self.user_id, str)):
            raise InputError(f"user_id must be text, as in the data: not {self.user_id!r}")
        if self.timestamp is not None:
            moment(self.timestamp)
        if not isinstance(self.k, Integral) or isinstance(self.k, bool) or not 1 <= self.k <= MAX_K:
            raise InputError(f"k is {self.k!r}: give a whole number from 1 to {MAX_K:,}")
        if not (self.filter is None or isinstance(self.filter, Mapping)):
            raise InputError("filter must give a list of values or a range for each column, by its name")
        if not (self.exclude_seen is None or isinstance(self.exclude_seen, bool)):
            raise InputError(f"exclude_seen is {self.exclude_seen!r}: give True, False or None")
        if self.history is not None:
            _check_items("history", self.history, MAX_HISTORY, "give the newest")
        _check_items("exclude", self.exclude, MAX_EXCLUDED, "give fewer")


def _check_items(name: str, items: Sequence[str], most: int, instead: str) -> None:
    a_list = isinstance(items, Collection) and not isinstance(items, str)
    if not a_list or not all(isinstance(item, str) for item in items):
        raise InputError(f"{name} must be a list of item ids, each of them text")
    if len(items) > most:
        raise InputError(f"{name} has {len(items):,} items, more than {most:,}: {instead}")


@dataclass(frozen=True)
class Answer:
    """Raw item ids, best first, and what the request had that the model does not know."""

    items: list[str]
    scores: list[float]
    """inner products, approximate where the index is ivf_pq; a model without an index gives its own scores"""
    known_user: bool
    """whether the user has a code in the training data"""
    fallback: bool
    """the model knows nothing of the user, history or features: its default, which may be no items, or what
    is popular"""
    unknown_items: list[str] = field(default_factory=list)
    """history items the model was not trained with; they do not count"""
    unknown_values: UnknownValues = field(default_factory=dict)
    """feature values outside the vocabulary; they count as unknown"""
