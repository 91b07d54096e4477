"""Check-ins of Gowalla (Cho et al., KDD 2011), with times, unlike LightGCN's `gowalla`.

`loc-gowalla_totalCheckins.txt.gz`, from SNAP, has no header and five columns between tabs: user, time (ISO
8601 with Z), latitude, longitude, location. A location is an item. Pairs repeat. A user's latest check-in
stands first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.sources import raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import from_text, need, numbers
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source

NAME = "gowalla-checkins"
FILE = "loc-gowalla_totalCheckins.txt"
LAYOUT = Layout(("user", "time", "latitude", "longitude", "location"), "\t", quoted=False)
TYPES = {"user": "int64", "time": "string", "location": "int64"}
TIME = "%Y-%m-%dT%H:%M:%SZ"


def load(folder: Path) -> ChunkedLog:
    """The check-ins.

    Raises:
        InputError: a file of another format (file and line, or row).
    """
    file = need(folder, FILE)

    def chunks() -> Iterator[Chunk]:
        before = 0
        for batch in read_columns(file, TYPES, LAYOUT):
            times = from_text(batch.column("time"), TIME, file, before)
            yield Chunk(numbers(batch, "user"), numbers(batch, "location"), times)
            before += len(batch)

    return ChunkedLog(NAME, chunks, ordered=False)


SOURCES = (
    Source(
        NAME,
        IN_TIME,
        raw.holds(FILE),
        load,
        Download(
            {f"{FILE}.gz": "md5:8ebd5ed2dd376d8982987c49429cb9f9"},
            ("https://snap.stanford.edu/data/{file}",),
            f"get {FILE}.gz from https://snap.stanford.edu/data/loc-gowalla.html, and put it into "
            f"<data-dir>/{NAME}",
        ),
        users=107_092,
        items=1_280_969,
        interactions=6_442_892,
    ),
)
