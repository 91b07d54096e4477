"""Which rows a dataset's validation part is, in words."""

from __future__ import annotations

from typing import Any

from retrieval_leaderboard.datasets.splits.holdout import BLOCK, DRAW
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS

_OLDER_NOTE = "the source's test rows lie together"
"""How a note began by which older records, which have no "carve", tell of blocks"""
_OLDER_BLOCK = "stretch"
"""What older records call one"""

_AS_TEST = "one contiguous block by item id, as the source's test rows are contiguous (carve as-test)"
_CARVED = {DRAW: "drawn one by one", BLOCK: _AS_TEST, _OLDER_BLOCK: _AS_TEST}


def describe(protocol: str, carve: str) -> str:
    """The validation part of `protocol`; "" for a protocol that there is not.

    Args:
        protocol: a key of `registry.PROTOCOLS`.
        carve: as `Dataset.carve`, or as an older record has it.
    """
    rule = PROTOCOLS[protocol].validation if protocol in PROTOCOLS else ""
    return ", ".join(filter(None, (rule, _CARVED.get(carve))))


def of_record(about: dict[str, Any]) -> str:
    """The validation part of the dataset that a stored run describes.

    Older records do not tell the carve. It was a draw, but for those of published that note a block.
    """
    protocol = about["protocol"]
    noted = any(note.startswith(_OLDER_NOTE) for note in about["notes"])
    older = (BLOCK if noted else DRAW) if protocol in ("published", "random") else ""
    return describe(protocol, about.get("carve", older))
