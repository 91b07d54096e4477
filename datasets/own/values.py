"""Values that are given as text of the command line, or as YAML or Python has them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from retrieval_leaderboard.support.errors import InputError

Parse = Callable[[Any, str], Any]
"""(value, where it stands) → the value as its field has it; InputError where it is none"""


def text(value: Any, where: str) -> str:
    """A text; numbers are what they look like."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{where}: {value!r} is no text; give one")
    return str(value)


def number(value: Any, where: str) -> float:
    """A finite number."""
    if not isinstance(value, bool):
        try:
            if math.isfinite(found := float(value)):
                return found
        except (TypeError, ValueError):
            pass
    raise InputError(f"{where}: {value!r} is no number; give one")


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError(f"{where}: {value!r} is neither true nor false")
    return value


def texts(value: Any, where: str) -> tuple[str, ...]:
    """A list of text, or one."""
    return tuple(text(each, where) for each in (value if isinstance(value, list | tuple) else [value]))


def pairs(value: Any, where: str) -> dict[str, str]:
    """Name → text, as a mapping or as "name=text,name=text"; text may be empty."""
    if isinstance(value, Mapping):
        return {
            text(name, where): "" if each is None else text(each, f"{where}, {name}")
            for name, each in value.items()
        }
    found: dict[str, str] = {}
    for part in re.split(r",(?=\s*[^,=]+=)", text(value, where)):
        name, equals, each = (side.strip() for side in part.partition("="))
        if not equals or not name:
            raise InputError(f"{where} '{value}': give it as NAME=VALUE,NAME=VALUE")
        if name in found:
            raise InputError(f"{where} '{value}': {name} is given twice; leave one out")
        found[name] = each
    return found
