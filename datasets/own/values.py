"""Values that are given as text of the command line, or as YAML or Python has them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.tables.ids import SURROGATE
from retrieval_leaderboard.support.errors import InputError

Parse = Callable[[Any, str], Any]
"""(value, where it stands) → the value as its field has it; InputError where it is none"""


def text(value: Any, where: str) -> str:
    """A text; numbers are what they look like."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{where}: {value!r} is no text; give one")
    if not str(value).isascii() and SURROGATE.search(str(value)):
        raise InputError(f"{where}: {value!a} is no UTF-8 text; give it so")
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


def whole(value: Any, where: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(value)):
        raise InputError(f"{where}: {value!r} is no whole number; give one")
    return int(value)


def tables(value: Any, where: str) -> tuple[Any, ...]:
    """Paths, as text, or pandas tables: a list, or one."""
    return tuple(_table(each, where) for each in (value if isinstance(value, list | tuple) else [value]))


def _table(value: Any, where: str) -> Any:
    if isinstance(value, str | Path) and str(value).strip():
        return str(value)
    if is_frame(value):
        return value
    raise InputError(
        f"{where}: {type(value).__name__} {str(value)[:40]!r} is neither a path nor a pandas DataFrame; give "
        "one, or a list of them"
    )


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is not imported for that."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def named_files(value: Any, where: str) -> dict[str, str]:
    """Name → path, as `pairs`."""
    found = pairs(value, where)
    for name, path in found.items():
        if not path:
            raise InputError(f"{where}, {name}: no file is named; give one")
    return found


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
