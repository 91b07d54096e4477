"""JSON that carries its own checksum, and checksums of the files it speaks of."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.files import write_json

CHECKSUM = "checksum"
BLOCK = 2**20

Form = type | UnionType | dict[str, Any] | list[Any]
"""What belongs somewhere: a type or one of several, a dict of the keys that must be there, or a list with the
form of its entries; `float` also takes whole numbers, and neither takes what is not finite."""


class DamagedError(InputError):
    """A file is not what was written, or has another layout."""


def write(target: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON, with its checksum, to `target` atomically."""
    write_json(target, seal(content))


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with its checksum, as JSON will give it back."""
    given = plain(content)
    return given | {CHECKSUM: _of_content(given)}


def is_whole(content: Mapping[str, Any]) -> bool:
    """Whether the checksum of what `seal` gave holds; of content without one nothing can be said."""
    ours = _of_content(content)
    return content.get(CHECKSUM, ours) == ours


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` as JSON gives it back; NaN is refused with ValueError."""
    return json.loads(json.dumps(content, allow_nan=False))


def read(path: Path, form: Form = dict) -> dict[str, Any]:
    """What `write` wrote, checksum included; of a file without one the form alone is looked at.

    Raises:
        DamagedError: no JSON of that form, or the checksum does not hold.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise DamagedError(f"{path} is damaged: it holds a {type(content).__name__} in place of a mapping")
    if not is_whole(content):
        raise DamagedError(f"{path} is damaged: its checksum does not hold")
    if odd := misfit(content, form):
        raise DamagedError(
            f"{path} is damaged, or of another version: its {odd} is absent or of another kind"
        )
    return content


def misfit(value: Any, form: Form, where: str = "content") -> str:
    """The first place where `value` is not of the form, as a.b.0; "" where all is."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return where
        inside = ("" if where == "content" else f"{where}.") + "{}"
        lacking = (inside.format(key) for key in form if key not in value)
        return next(lacking, "") or _first(
            misfit(value[key], part, inside.format(key)) for key, part in form.items()
        )
    if isinstance(form, list):
        if not isinstance(value, list):
            return where
        return _first(misfit(each, form[0], f"{where}.{at}") for at, each in enumerate(value))
    if form is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    else:
        fits = isinstance(value, form) and not (form is int and isinstance(value, bool))
    return "" if fits else where


def digest(*paths: Path) -> str:
    """blake2b of files, one after the other, 32 hex digits.

    Raises:
        OSError: one cannot be read.
    """
    found = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
    return found.hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """File → `digest`, of every file in `folder`."""
    return {path.name: digest(path) for path in sorted(folder.iterdir()) if path.is_file()}


def check(folder: Path, known: Mapping[str, str], names: Iterable[str]) -> None:
    """Compare files of `folder` with their digests; those that are absent, or have none, pass.

    Raises:
        DamagedError: naming the first that differs.
    """
    for name in names:
        if name in known and (folder / name).is_file() and digest(folder / name) != known[name]:
            raise DamagedError(f"{folder / name} is damaged: its checksum does not hold")


def _of_content(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    return hashlib.blake2b(json.dumps(rest, sort_keys=True).encode(), digest_size=16).hexdigest()


def _first(found: Iterable[str]) -> str:
    return next(filter(None, found), "")
