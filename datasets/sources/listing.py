"""The list of the named datasets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard.datasets.sources import folders
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support.errors import InputError


@dataclass(frozen=True)
class Listed:
    """A line of the list of datasets."""

    source: Source
    status: str
    """"found", "incomplete", or as `Source.absent`"""
    folder: Path
    """Where its files are, or are looked for"""


def listing(data_dir: Path) -> list[Listed]:
    """All named datasets; touches no network."""
    listed = []
    for source in SOURCES.values():
        try:
            folder = folders.find(source, data_dir)
            status = "found" if folder else source.absent
        except InputError:
            folder, status = None, "incomplete"
        listed.append(Listed(source, status, folder or data_dir / source.folder))
    return listed
