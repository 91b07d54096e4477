"""JSON that carries its own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import typed
from retrieval_leaderboard.support.storage.files import write_json

CHECKSUM, SCHEMA = "checksum", "schema"
"""Keys of what is sealed; content from before there were versions has no schema, and may have no checksum."""
Made = TypeVar("Made")
Migration = Callable[[dict[str, Any]], dict[str, Any]]


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


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote, checksum included; of a file without one the checksum alone is not looked at.

    Raises:
        DamagedError: no JSON mapping, or the checksum does not hold.
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
    return content


def load(path: Path, kind: type[Made], migrate: Migration = dict) -> Made:
    """What a file holds, brought up to date by `migrate`, as the dataclass `kind`.

    Raises:
        DamagedError: as `read`, or it does not fit; the sentence says where.
        OSError: it cannot be read.
    """
    content = read(path)
    if SCHEMA in content and CHECKSUM not in content:
        raise DamagedError(f"{path} is damaged: it has no checksum")
    try:
        current = migrate(content)
        return typed.parse(kind, {key: value for key, value in current.items() if key != CHECKSUM})
    except InputError as error:
        raise DamagedError(f"{path} is damaged, or of another version: {error}") from error
    except (typed.MisfitError, LookupError, TypeError, AttributeError) as error:
        where = error if isinstance(error, typed.MisfitError) else "content"
        raise DamagedError(
            f"{path} is damaged, or of another version: its {where} is absent or of another kind"
        ) from error


def _of_content(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    return hashlib.blake2b(json.dumps(rest, sort_keys=True).encode(), digest_size=16).hexdigest()
