"""The parsed clicks and features as Parquet, so that only the first load reads the official files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy.typing as npt

from datasets.aliec_files import Source
from datasets.aliec_parse import Parsed
from datasets.dataset import Features
from support import progress
from support.errors import InputError
from support.files import atomic_folder, write_json

FORMAT = 2
"""Version of the layout and of what the parser keeps; older folders are not read."""


def cache_folder(cache: Path, sources: dict[str, Source]) -> Path:
    """Where the parsed form of exactly these files belongs: `cache/aliec-<hash>`."""
    identity = repr((FORMAT, sorted((name, source.identity) for name, source in sources.items())))
    return cache / f"aliec-{hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()}"


def read_cache(folder: Path) -> Parsed | None:
    """What `write_cache` wrote; None where there is nothing, or, said in a line, something damaged."""
    import pyarrow as pa

    if not folder.exists():
        return None
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        progress.say(f"cache {folder} is damaged ({reason}): reading the official files again")
        return None


def write_cache(folder: Path, parsed: Parsed) -> None:
    """Write the folder, all or nothing; where that fails, say so and go on without."""
    try:
        with atomic_folder(folder) as scratch:
            _write(scratch, parsed)
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
        "items": {"id": parsed.item_ids, **items.categorical, **items.numeric},
    }
    for name, columns in tables.items():
        _write_table(folder / f"{name}.parquet", columns)
    about = {
        "impressions": parsed.impressions,
        "rows": [len(parsed.user), len(parsed.user_ids), len(parsed.item_ids)],
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
    if [len(clicks["user"]), len(users["id"]), len(items["id"])] != about["rows"]:
        raise ValueError("its tables do not have the rows they were written with")
    return Parsed(
        about["impressions"],
        clicks.pop("user"),
        clicks.pop("item"),
        clicks.pop("timestamp"),
        users.pop("id"),
        items.pop("id"),
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

    parquet.write_table(pa.table(columns), path, write_page_checksum=True)


def _read_table(path: Path) -> dict[str, npt.NDArray]:
    from pyarrow import parquet

    table = parquet.read_table(path, page_checksum_verification=True)
    # Copies, because Arrow's own arrays are read-only and PyTorch warns of those.
    return {name: table[name].to_numpy().copy() for name in table.column_names}
