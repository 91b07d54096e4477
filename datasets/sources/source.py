"""What a named dataset is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.splits.holdout import DRAW

IN_TIME = ("time", "next-item", "cold-items", "leave-last-one")
"""The protocols of a log with exact times"""


@dataclass(frozen=True)
class Source:
    """A named dataset: how it is had and read, and what is particular to it."""

    name: str
    protocols: tuple[str, ...]
    """Those it can be split by; the first is the default."""
    holds: Callable[[Path], bool]
    """Whether a folder has its files"""
    read: Callable[[Path], Log | ChunkedLog]
    """Its log, from a folder that has them; chunk by chunk where it may not fit into memory"""
    download: Download | None = None
    """Where its files are; None for one that is generated"""
    folder: str = ""
    """Of its files in the data folder, which it may share with others; its name by default"""
    own_names: bool = False
    """Whether no other dataset's files are called as its are: they may then lie in the data folder itself"""
    absent: str = "downloadable"
    """Its status in lists where its files are not here"""
    users: int | None = None
    """Published number; where the files have another, the dataset says so"""
    items: int | None = None
    """Published number, as `users`"""
    interactions: int | None = None
    """Published number, test rows and those that the reader leaves out included, as `users`"""
    counts: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Name of a log → published users, items and interactions, where its files are one of several datasets"""
    license: str = ""
    """What may be done with it, in a line; "" where its publisher does not say"""
    carve: str = DRAW
    """A key of `holdout.CARVES`: how protocol published carves its validation part by default"""
    generate: Callable[[float | None], Log] | None = None
    """Makes its log at a scale, None for its default, where there are no files"""
    fallback: str = ""
    """The dataset that runs, under its own name, where this one is not to be had"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", self.folder or self.name)

    @property
    def published(self) -> str:
        """The published numbers that there are, in words."""
        counts = {"users": self.users, "items": self.items, "interactions": self.interactions}
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None)
