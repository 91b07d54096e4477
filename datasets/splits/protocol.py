"""What a protocol is, and what it makes of a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.whole import Whole

LIKED = 2.0
"""What an item's rating must be above to be relevant, in protocols that look at ratings"""


@dataclass(frozen=True)
class Parts:
    """A log, or a part of its users, in four parts; queries have their histories."""

    train: Interactions
    valid: Queries
    train_valid: Interactions
    test: Queries
    counted: dict[str, int] = field(default_factory=dict)
    """What a reader of a table should know → how often it is; "{:,}" in the words is where the number goes"""
    carve: str = ""
    """How validation was carved from each user's rows; "" where times or events decide"""
    asked: int = 0
    """Test queries, those included that were left out because no truth was left"""


@dataclass(frozen=True)
class Protocol:
    """A rule that splits a log, and all that follows from it."""

    name: str
    split: Callable[[Log, Whole], Parts]
    """(log, what it is a part of) → its parts, without anything in `exclude`. Every query gets its whole
    truth; what may be returned is decided in `splits.split`. A log that does not fit into memory comes in
    parts of whole users, of each of which the same must come as if all came at once."""
    validation: str
    """Which rows the validation part is, in words"""
    carved: str = ""
    """The same where they had to be carved, if that differs"""
    timeline: bool = False
    """Whether validation and test are periods of one timeline; candidates are then the items known before
    the test period"""
    sequential: bool = False
    """Whether the order of a user's events decides which are asked for"""
    draws: bool = True
    """Whether the split seed decides something, ties aside"""
    own_test: bool = False
    """Whether it needs test rows of the source's own; how validation is carved is then a choice"""
    rated: bool = False
    """Whether items with a rating of `LIKED` or less are not relevant, where there are ratings"""
    excludes_seen: bool = True
    """Whether seen items may not be returned, where nothing else is asked for"""

    @property
    def timed(self) -> bool:
        """Whether it needs times."""
        return self.timeline or self.sequential
