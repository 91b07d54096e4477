"""Alibaba-iFashion (Chen et al., KDD 2019, "POG"): clicks on outfits.

The tables have commas, and no header, quotes or times:

- `user_data.txt`, published as `user_data.7z`: `user,item;item;…,outfit`, a line for each click on an
  outfit, with the items that the user had clicked before. Those repeat between a user's lines, and are not
  read: outfits are the items.
- `outfit_data.txt`: `outfit,item;item;…`.
- `item_data.txt`: `item,category,picture,title`. Titles hold commas.

The categories of an outfit's items are its features.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features, Multivalued
from retrieval_leaderboard.datasets.sources import describe, raw
from retrieval_leaderboard.datasets.sources.archives import UNREADABLE
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.datasets.sources.raw import find, texts
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_folder
from retrieval_leaderboard.support.storage.locks import locked

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "alibaba-ifashion"
CLICKS, ARCHIVE = "user_data.txt", "user_data.7z"
OUTFITS, ITEMS = "outfit_data.txt", "item_data.txt"
LONGEST_LINE = 1 << 24
LAYOUT = Layout(("user", "clicked", "outfit"), quoted=False, block_bytes=LONGEST_LINE)
OUTFIT_LAYOUT = Layout(("outfit", "items"), quoted=False)
LINES = Layout(("line",), "\x1f", quoted=False)
"""Whole lines: the separator is a character that no title has"""


def holds(folder: Path) -> bool:
    """Whether a folder has the clicks, packed or not."""
    return find(folder, CLICKS) is not None or (folder / ARCHIVE).is_file()


def load(folder: Path, cache: Path) -> ChunkedLog:
    """The clicks on outfits; an archive is unpacked into `cache`, once.

    Raises:
        InputError: a missing or damaged file, one of another format (file and line), or an archive that
            nothing here can unpack.
    """
    file = find(folder, CLICKS) or _unpacked(folder / ARCHIVE, cache)

    def chunks() -> Iterator[Chunk]:
        before = 0
        for batch in read_columns(file, {"user": "string", "outfit": "string"}, LAYOUT):
            yield Chunk(*(texts(batch, name, file, before) for name in ("user", "outfit")))
            before += len(batch)

    outfits, items = find(folder, OUTFITS), find(folder, ITEMS)

    def describe_items(ids: npt.NDArray[np.object_]) -> Features:
        assert outfits is not None and items is not None
        return Features({"categories": _categories(outfits, items, ids)})

    return ChunkedLog(
        NAME, chunks, describe_items=describe_items if outfits and items else None, ordered=False
    )


def _unpacked(archive: Path, cache: Path) -> RawFile:
    """The clicks of an archive, unpacked into a folder of the cache that belongs to this archive."""
    if find_spec("py7zr") is None:
        raise InputError(
            f"{archive} needs py7zr to be unpacked: pip install py7zr, or unpack it there yourself"
        )
    status = archive.stat()
    folder = cache / "unpacked" / f"{archive.stem}-{status.st_size}-{status.st_mtime_ns}"
    if found := find(folder, CLICKS):
        return found
    with locked(folder.parent, f"another command is unpacking {archive}: waiting for it"):
        return find(folder, CLICKS) or _unpack(archive, folder)


def _unpack(archive: Path, folder: Path) -> RawFile:
    import py7zr

    progress.say(f"unpacking {archive} into {folder}")
    try:
        with atomic_folder(folder) as scratch, py7zr.SevenZipFile(archive) as packed:
            members = [name for name in packed.getnames() if PurePosixPath(name).name == CLICKS]
            packed.extract(path=scratch, targets=members)
    except (*UNREADABLE, py7zr.exceptions.ArchiveError) as error:
        raise InputError(f"{archive} is damaged, locked or no 7z archive: {error}; get it again") from error
    return raw.need(folder, CLICKS)


def _categories(outfits: RawFile, items: RawFile, ids: npt.NDArray[np.object_]) -> Multivalued:
    """The categories of the items of each outfit of `ids`, object[n]."""
    import pyarrow as pa
    import pyarrow.compute as pc

    described = describe.table([outfits], "outfit", ["items"], OUTFIT_LAYOUT, text_key=True)
    members = pc.split_pattern(describe.rows_of(ids, described, "outfit")["items"], ";").combine_chunks()
    row = pc.list_parent_indices(members).to_numpy()
    known = pa.concat_tables(_items(items))
    found = describe.rows_of(pc.list_flatten(members), known, "item")
    return describe.grouped(found["category"], row, len(ids))


def _items(items: RawFile) -> Iterator[pa.Table]:
    """Items and their categories, without pictures and titles."""
    import pyarrow as pa
    import pyarrow.compute as pc

    before = 0
    for batch in read_columns(items, {"line": "string"}, LINES):
        fields = pc.split_pattern(batch.column("line"), ",", max_splits=3)
        short = pc.list_value_length(fields).to_numpy(zero_copy_only=False) != 4
        if short.any():
            line = before + int(np.argmax(short)) + 1
            raise InputError(
                f"{items}, row {line}: an item has a category, a picture and a title; get it again"
            )
        yield pa.table({"item": pc.list_element(fields, 0), "category": pc.list_element(fields, 1)})
        before += len(batch)


SOURCES = (
    Source(
        NAME,
        ("random",),
        holds,
        lambda folder: load(folder, cache_dir()),
        Download(
            {
                "user_data.7z": "md5:2ff9254d67fb13d04824621ca1387622",
                "item_data.txt.zip": "md5:f501244e784ae33defb71b3478d1125c",
                "outfit_data.txt.zip": "md5:f24078606235c122bd1d1c988766e83f",
            },
            (),
            "get user_data.7z, item_data.txt.zip and outfit_data.txt.zip from "
            "https://drive.google.com/drive/folders/1xFdx5xuNXHGsUVG2VIohFTXf9S7G5veq, and put them into "
            f"<data-dir>/{NAME}, the first unpacked or with py7zr installed",
        ),
        absent="manual download",
        users=3_569_112,
    ),
)
