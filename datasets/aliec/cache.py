"""The parsed clicks and features as Parquet, so that only the first load reads the official files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.parse import Parsed
from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.dataset import Features
from retrieval_leaderboard.support import checksums, progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.files import atomic_folder, write_json
from retrieval_leaderboard.support.locks import locked

FORMAT = 4
"""Version of the layout and of what the parser keeps; older folders are not read."""


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
    users, items = parsed.user_features, parsed.item_features
    tables: dict[str, dict[str, npt.NDArray]] = {
        "clicks": {
            "user": parsed.user,
            "item": parsed.item,
            "timestamp": parsed.timestamp,
            **parsed.context.categorical,
        },
        "users": {"id": parsed.user_ids, **users.categorical, **users.numeric},
        "items": {"id": parsed.item_ids, "listed": parsed.listed, **items.categorical, **items.numeric},
    }
    for name, columns in tables.items():
        _write_table(folder / f"{name}.parquet", columns)
    about = {
        "impressions": parsed.impressions,
        "vocabulary": {
            "users": users.vocabulary,
            "items": items.vocabulary,
            "clicks": parsed.context.vocabulary,
        },
    }
    write_json(folder / "about.json", about)


def _read(folder: Path) -> Parsed:
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    tables = {name: _read_table(folder / f"{name}.parquet") for name in ("users", "items", "clicks")}
    users, items, clicks = tables.values()
    return Parsed(
        about["impressions"],
        clicks.pop("user"),
        clicks.pop("item"),
        clicks.pop("timestamp"),
        users.pop("id"),
        items.pop("id"),
        items.pop("listed"),
        *(_features(each, about["vocabulary"][name]) for name, each in tables.items()),
    )


def _features(columns: dict[str, npt.NDArray], vocabulary: dict[str, list[str]]) -> Features:
    return Features(
        categorical={name: columns[name] for name in vocabulary},
        vocabulary=vocabulary,
        numeric={name: numbers for name, numbers in columns.items() if name not in vocabulary},
    )


def _write_table(path: Path, columns: dict[str, npt.NDArray]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), path)


def _read_table(path: Path) -> dict[str, npt.NDArray]:
    from pyarrow import parquet

    table = parquet.read_table(path)
    # Copies, because Arrow's own arrays are read-only and PyTorch warns of those.
    return {name: table[name].to_numpy().copy() for name in table.column_names}
