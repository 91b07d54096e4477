"""JSON that is read as it stands: no number loses a digit, and no key of an object stands twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

SHOWN = 80
"""Characters of a key that an error names"""


class RepeatedKeyError(ValueError):
    """Of two values of a key, a reader would take one or the other."""


def decode(text: str) -> Any:
    """What a JSON text holds, its numbers as the text they are.

    Raises:
        RepeatedKeyError: naming the key.
        ValueError, RecursionError: no JSON, or nested too deep.
    """
    return _DECODER.decode(text)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Counted at once: a name at a time, an object of many keys takes minutes.
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in counts if counts[name] > 1)
        raise RepeatedKeyError(f"the key '{twice[:SHOWN]}' is there twice")
    return found


_DECODER = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_without_repetition
)
