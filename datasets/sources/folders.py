"""Where the files of a named dataset are, or belong."""

from __future__ import annotations

import os
from pathlib import Path

from retrieval_leaderboard.datasets.sources.source import Source


def cache_dir() -> Path:
    """Folder of what can be made again: $RETRIEVAL_CACHE, else the system's place for caches."""
    import pooch

    return Path(os.environ.get("RETRIEVAL_CACHE") or pooch.os_cache("retrieval-leaderboard"))


def find(source: Source, data_dir: Path) -> Path | None:
    """The folder that holds a dataset's files, if any does.

    Raises:
        InputError: some are there, and others are not.
    """
    itself = [data_dir] if source.own_names else []
    folders = (data_dir / source.folder, *itself, cache_dir() / source.folder)
    return next(filter(source.holds, folders), None)


def for_downloads(data_dir: Path) -> Path:
    """`data_dir`, or the cache where that cannot be written."""
    folder = data_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return data_dir if folder.is_dir() and os.access(folder, os.W_OK) else cache_dir()
