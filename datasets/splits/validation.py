"""Which rows a dataset's validation part is, in words."""

from __future__ import annotations

from retrieval_leaderboard.datasets.splits.holdout import BLOCK, DRAW
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS

_AS_TEST = "one contiguous block by item id, as the source's test rows are grouped (carve as-test)"
_CARVED = {DRAW: "drawn one by one", BLOCK: _AS_TEST}


def describe(protocol: str, carve: str) -> str:
    """The validation part of `protocol`; "" for a protocol that there is not.

    Args:
        protocol: a key of `registry.PROTOCOLS`.
        carve: as `Dataset.carve`.
    """
    rule = ""
    if protocol in PROTOCOLS:
        found = PROTOCOLS[protocol]
        rule = (carve and found.carved) or found.validation
    return ", ".join(filter(None, (rule, _CARVED.get(carve))))
