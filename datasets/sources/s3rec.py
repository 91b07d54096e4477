"""The sequence files of S3-Rec (Zhou et al., CIKM 2020), made of Amazon's 5-core logs of 2014.

A line of `<name>.txt` is `user item item …`, whole numbers from 1. Times are lost, and their order is not:
the place of an item in its line stands for its time, as a number that gives an order alone.
`<name>_item2attributes.json` maps items to lists of codes: the brand and the categories, which are not
told apart. The items stand under text keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.log import Reading
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.datasets.sources import describe, lightgcn, raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.datasets.times.unix_times import ORDER
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

DIGESTS = {
    "Beauty.txt": "git:a29773026846d857ec8176cb25f37b23ecf20155",
    "Beauty_item2attributes.json": "git:805189e7a6dd1005ef38344f5d556f27b8dc240f",
    "Sports_and_Outdoors.txt": "git:50a7023ca502b42eb0e840c603abda6e851b2018",
    "Sports_and_Outdoors_item2attributes.json": "git:7c2e9a40c6534163fd8d6d1e3abfbfb860f137b6",
    "Toys_and_Games.txt": "git:5459307b30f65949605b34d350bfad37586a1b97",
    "Toys_and_Games_item2attributes.json": "git:d13b361c07f57fc032014b86a0723461bbc8e30d",
}


def files(category: str) -> tuple[str, str]:
    """The files of a category, such as "Beauty"."""
    return f"{category}.txt", f"{category}_item2attributes.json"


def load(folder: Path, name: str, category: str) -> ChunkedLog:
    """The dataset `name` from the files of a category.

    Raises:
        InputError: what is no file of this format (file and line).
    """
    sequences, attributes = (folder / file for file in files(category))
    user, item, _ = lightgcn.read(sequences)
    log = Chunk(user, item, _places(user))

    def chunks() -> Iterator[Chunk]:
        yield log

    return ChunkedLog(
        name,
        chunks,
        describe_items=lambda ids: _attributes(attributes, ids),
        reading=lambda: Reading(len(log), {}, times=ORDER),
    )


def _places(user: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[n]: how many rows of the same user come before each row."""
    codes = np.unique(user, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    places = np.empty(len(user), dtype=np.int64)
    places[order] = np.arange(len(user)) - offsets_of(np.bincount(codes))[codes[order]]
    return places


def _attributes(path: Path, ids: npt.NDArray[np.object_]) -> Features:
    """What the file says of the items `ids`, object[n]."""
    import pyarrow as pa

    try:
        known = json.loads(contents(path))
        rows = [[str(int(code)) for code in known.get(each, ())] for each in ids]
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no map from items to lists of codes: {error}; get it again") from error
    return describe.features(
        pa.table({"attributes": pa.array(rows, pa.list_(pa.string()))}), (), ("attributes",)
    )


def _source(name: str, category: str, users: int, items: int, interactions: int) -> Source:
    """A category of S3-Rec's sequences."""
    return Source(
        f"s3rec-{name}",
        ("leave-last-one", "next-item", "cold-items"),
        raw.holds_here(*files(category)),
        partial(load, name=f"s3rec-{name}", category=category),
        Download(
            DIGESTS,
            ("https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/HEAD/data/{file}",),
            f"get {' and '.join(files(category))} from https://github.com/RUCAIBox/CIKM2020-S3Rec, and "
            "put them into <data-dir>/s3rec",
        ),
        folder="s3rec",
        users=users,
        items=items,
        interactions=interactions,
    )


SOURCES = (
    _source("beauty", "Beauty", 22_363, 12_101, 198_502),
    _source("sports", "Sports_and_Outdoors", 35_598, 18_357, 296_337),
    _source("toys", "Toys_and_Games", 19_412, 11_924, 167_597),
)
