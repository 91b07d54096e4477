"""The protocols by name; help texts and lists follow from it."""

from __future__ import annotations

from retrieval_leaderboard.datasets.splits.protocol import Protocol
from retrieval_leaderboard.datasets.splits.protocols import (
    cold_items,
    given,
    leave_last_one,
    next_item,
    published,
    random,
    time,
)

_MODULES = (published, time, next_item, cold_items, leave_last_one, random, given)
PROTOCOLS: dict[str, Protocol] = {each.PROTOCOL.name: each.PROTOCOL for each in _MODULES}
GIVEN, LAST = given.PROTOCOL.name, leave_last_one.PROTOCOL.name
"""That of files that come split"""

SEQUENTIAL = frozenset(name for name, each in PROTOCOLS.items() if each.sequential)


def excludes_seen(protocol: str) -> bool:
    """Whether a protocol excludes seen items by default; one that a stored run names may be gone, and did."""
    return protocol not in PROTOCOLS or PROTOCOLS[protocol].excludes_seen


def of_own_files(timed: bool) -> tuple[str, ...]:
    """The protocols that a user's own file can be split by, `timed` or not; the first is the default."""
    fit = [each for each in PROTOCOLS.values() if not each.own_test]
    return tuple(each.name for each in sorted(fit, key=lambda each: each.timed != timed))
