"""Which rows a dataset's validation part is, in words."""

from __future__ import annotations

from typing import Any

from retrieval_leaderboard.datasets.splits.holdout import DRAW, STRETCH

_OLDER_NOTE = "the source's test rows lie together"
"""How a note began by which older records, which have no "carve", tell of stretches"""

_CARVED = {
    DRAW: "drawn one by one",
    STRETCH: "one stretch of neighbors by item id, as the source's test rows lie together (carve as-test)",
}
_RULES = {
    "published": "a fifth of each user's rows that are not test",
    "random": "a tenth of each user's rows that are not test",
    "time": "the period before the test period, one query a user",
    "next-item": "the three events of each user before the test events, one query each",
    "cold-items": "the three events of each user before the test events, but for items that are cold in the "
    "test part; another tenth of the items is cold in it",
    "leave-last-one": "the event of each user before the test event",
}


def told(protocol: str, carve: str) -> str:
    """The validation part of `protocol`; "" for a protocol that there is not.

    Args:
        protocol: a key of `splits.PROTOCOLS`.
        carve: as `Dataset.carve`.
    """
    return ", ".join(filter(None, (_RULES.get(protocol), _CARVED.get(carve))))


def of_record(about: dict[str, Any]) -> str:
    """The validation part of the dataset that a stored run describes.

    Older records do not tell the carve. It was a draw, but for those of published that note a stretch.
    """
    protocol = about["protocol"]
    noted = any(note.startswith(_OLDER_NOTE) for note in about["notes"])
    older = (STRETCH if noted else DRAW) if protocol in ("published", "random") else ""
    return told(protocol, about.get("carve", older))
