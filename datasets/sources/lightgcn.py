"""The format of LightGCN's data: `train.txt` and `test.txt`, a line `user item item …` per user."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log
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
