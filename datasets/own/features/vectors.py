"""Vectors of items or users from elsewhere: a column of lists, or a file with ids beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Vector
from retrieval_leaderboard.datasets.features.vector import ROWS_A_BLOCK, WIDEST
from retrieval_leaderboard.datasets.own.features.feature_values import holds_lists
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

ARRAY = ".npy"
"""What a file of vectors ends in that has its ids beside it"""
IDS = ".ids.txt"
"""What the file of ids beside vectors.npy ends in: vectors.ids.txt"""
FLOATS = ("float16", "float32", "float64")


def of_cells(cells: Cells, place: npt.NDArray[np.int64], n: int) -> Vector:
    """The vectors in a column of lists, or of text such as "0.1 0.2", for n items or users.

    Args:
        cells: the lists; one that is missing or empty is unknown.
        place: int64[rows], where each belongs.
        n: rows of the result.

    Raises:
        InputError: no list of numbers, lists of several lengths, more than 1,024 numbers, or one that is
            not finite (file and line).
    """
    read = arrow_blocks if holds_lists(cells) else _text_blocks
    vectors = np.empty((0, 0), dtype=np.float32)
    for rows, block in read(cells):
        if not block.shape[1]:  # An empty list, unknown as one that is missing.
            continue
        if not vectors.size:
            vectors = _nothing(n, block.shape[1], f"{cells.path}: column '{cells.column}'")
        if block.shape[1] != vectors.shape[1]:
            problem = f"has {block.shape[1]} numbers and others {vectors.shape[1]}; give each as many"
            raise cells.error(int(rows[0]), f"the vector in column '{cells.column}' {problem}")
        wrong = _not_finite(block)
        if len(wrong):
            raise cells.error(int(rows[wrong[0]]), f"the vector in column '{cells.column}' {NOT_FINITE}")
        vectors[place[rows]] = block
    if not vectors.size:
        raise InputError(f"{cells.path}: column '{cells.column}' has no vector; leave it out")
    return Vector(vectors)


NOT_FINITE = "has a number that is missing or not finite; correct it, or leave the whole vector empty"


def of_file(path: Path, place: npt.NDArray[np.int64], n: int) -> Vector:
    """The vectors in a .npy file for n items or users.

    Args:
        path: of the file, float16, float32 or float64 [rows, w].
        place: int64[rows], where each row belongs; -1 for nowhere.
        n: rows of the result; those without a vector are unknown.

    Raises:
        InputError: another array, more than 1,024 numbers a row, or one that is not finite.
    """
    stored = open_array(path)
    if len(stored) != len(place):
        raise InputError(
            f"{path} has {len(stored):,} vectors and {ids_of(path).name} {len(place):,} ids; give each "
            "vector an id"
        )
    vectors = _nothing(n, stored.shape[1], str(path))
    for start in range(0, len(stored), ROWS_A_BLOCK):
        rows = slice(start, start + ROWS_A_BLOCK)
        with np.errstate(over="ignore"):
            block = stored[rows].astype(np.float32)
        there = place[rows] >= 0
        wrong = _not_finite(block)
        if len(wrong):
            raise InputError(
                f"{path}, row {start + wrong[0]} (counted from 0): the vector has a number that is not "
                "finite, or too large for float32; correct it, or leave the vector and its id out"
            )
        vectors[place[rows][there]] = block[there]
    return Vector(vectors)


def lengths(cells: Cells) -> set[int]:
    """How long the lists in a column are."""
    return {block.shape[1] for _, block in arrow_blocks(cells)}


def open_array(path: Path) -> npt.NDArray:
    """The array in a .npy file, not yet read into memory; InputError where it holds no vectors."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: no readable .npy file ({error}); write it by numpy.save") from error
    if (
        not isinstance(found, np.ndarray)
        or found.ndim != 2
        or found.dtype.name not in FLOATS
        or not found.size
    ):
        is_ = f"{found.dtype} {list(found.shape)}" if isinstance(found, np.ndarray) else "an archive"
        raise InputError(f"{path} holds {is_}; save a float32 or float16 array of a vector a row")
    return found


def ids_of(path: Path) -> Path:
    """The file of ids beside a .npy file."""
    return path.with_name(path.stem + IDS)


def read_ids(path: Path) -> Cells:
    """The ids beside a .npy file, one a line, in the order of its vectors.

    Raises:
        InputError: no such file, or an empty line.
    """
    import pandas as pd

    beside = ids_of(path)
    try:
        lines = beside.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except FileNotFoundError as error:
        raise InputError(
            f"{beside} is missing: write the ids of {path.name} there, one a line, in the order of its "
            "vectors"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{beside} cannot be read as UTF-8 text ({error}); write it again") from error
    cells = Cells(beside, "id", pd.Series(lines, index=pd.RangeIndex(1, len(lines) + 1), dtype=object))
    missing = cells.missing()
    if missing.any():
        raise cells.error(int(np.argmax(missing)), "the line is empty; write an id on each")
    return cells


def _nothing(n: int, width: int, where: str) -> npt.NDArray[np.float32]:
    """float32[n, width] of NaN."""
    if width > WIDEST:
        raise InputError(
            f"{where} has vectors of {width:,} numbers, and {WIDEST:,} is the most; reduce them, such as by "
            "PCA"
        )
    return np.full((n, width), np.nan, dtype=np.float32)


def _not_finite(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The rows of a block that have a number that is not finite."""
    return np.flatnonzero(~np.isfinite(block).all(axis=1))


Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Row numbers int64[m], and their vectors float32[m, w]"""


def arrow_blocks(cells: Cells) -> Iterator[Block]:
    """The lists that are there, in blocks of consecutive rows whose lists are of one length."""
    import pyarrow as pa
    from pyarrow import compute

    lists: Any = cells.values.array
    start = 0
    for chunk in pa.chunked_array(lists.__arrow_array__()).chunks:
        lengths = compute.list_value_length(chunk).to_numpy(zero_copy_only=False)
        there = np.flatnonzero(chunk.is_valid().to_numpy(zero_copy_only=False))
        try:
            with np.errstate(over="ignore"):
                flat = chunk.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{cells.path}: column '{cells.column}' holds {cells.arrow_type()}, which are no vectors; "
                "choose another type for it"
            ) from error
        sizes = lengths[there].astype(np.int64)
        ends = np.flatnonzero(np.diff(sizes, append=-1)) + 1
        begins = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            block = flat[offsets[begin] : offsets[end]].reshape(end - begin, int(sizes[begin]))
            yield start + there[begin:end], block
        start += len(chunk)


def _text_blocks(cells: Cells) -> Iterator[Block]:
    """Each text that is there: numbers between blanks or commas, in brackets or not."""
    missing = cells.missing()
    for row in np.flatnonzero(~missing).tolist():
        text = str(cells.values.iloc[row]).translate(_AS_BLANKS)
        try:
            with np.errstate(over="ignore"):
                yield np.array([row]), np.array([text.split()], dtype=np.float32)
        except ValueError as error:
            raise cells.wrong(
                row, "is no vector; write numbers between blanks, or choose another type"
            ) from error


_AS_BLANKS = str.maketrans(dict.fromkeys("[](),;\"'", " "))
