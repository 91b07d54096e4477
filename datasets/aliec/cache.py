"""The parsed clicks and features as arrays, so that only the first load reads the official files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.aliec.parse import Parsed
from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums
from retrieval_leaderboard.support.storage.files import atomic_folder
from retrieval_leaderboard.support.storage.locks import locked

FORMAT = 5
"""Version of the layout and of what the parser keeps; older folders are not read."""
CLICKS = "clicks.npz"
TABLES = ("user_features", "item_features", "context")
"""The feature tables of `Parsed`, a file each"""


def cache_folder(cache: Path, sources: dict[str, RawFile]) -> Path:
    """Where the parsed form of exactly these files belongs: `cache/aliec-<hash>`."""
    identity = repr((FORMAT, sorted((name, source.identity) for name, source in sources.items())))
    return cache / f"aliec-{hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()}"


def cached(cache: Path, sources: dict[str, RawFile], parse: Callable[[], Parsed]) -> Parsed:
    """What is kept of exactly these files under `cache`, else what `parse` gives, kept from now on.

    One process parses while others wait for what it keeps. A folder that is damaged, or cannot be written, is
    said in a line.

    Raises:
        InputError: as `parse`.
    """
    folder = cache_folder(cache, sources)
    if folder.exists() and not checksums.damage(folder):
        return _read(folder)
    with ExitStack() as held:
        try:
            held.enter_context(
                locked(cache, f"another command is reading files into {cache}: waiting for it")
            )
        except InputError as error:
            progress.say(f"going on without a cache: {error}")
            return parse()
        if folder.exists():
            damage = checksums.damage(folder)
            if not damage:
                return _read(folder)
            progress.say(f"cache {folder} is damaged ({damage}): reading the official files again")
        parsed = parse()
        _keep(folder, parsed)
        return parsed


def _keep(folder: Path, parsed: Parsed) -> None:
    """Write the folder, all or nothing; where that fails, say so and go on without."""
    try:
        with atomic_folder(folder) as scratch:
            _write(scratch, parsed)
            checksums.write(scratch)
    except (OSError, InputError) as error:
        progress.say(f"going on without a cache: {error}")


def _write(folder: Path, parsed: Parsed) -> None:
    values = {each.name: getattr(parsed, each.name) for each in fields(Parsed)}
    for name in TABLES:
        values.pop(name).save(folder / f"{name}.npz")
    np.savez(folder / CLICKS, **values)


def _read(folder: Path) -> Parsed:
    with np.load(folder / CLICKS) as stored:
        values: dict[str, Any] = dict(stored)
    values |= {name: Features.load(folder / f"{name}.npz") for name in TABLES}
    return Parsed(int(values.pop("impressions")), **values)
