"""Of what type a column of one's own items or users is: as chosen, as RecBole's header says, or as found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.own.features import vectors
from retrieval_leaderboard.datasets.own.features.feature_values import (
    BLANK,
    SEPARATORS,
    Values,
    are_lists,
    holds_lists,
    listed,
    separator_of,
    split,
)
from retrieval_leaderboard.datasets.own.values import pairs
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import parse as times
from retrieval_leaderboard.datasets.times import unix_times
from retrieval_leaderboard.support.errors import InputError, unknown

CATEGORY, CATEGORIES, NUMBER, VECTOR, LEFT_OUT, ID = "category", "categories", "number", "vector", "no", "id"
TYPES = (CATEGORY, CATEGORIES, NUMBER, VECTOR, LEFT_OUT, ID)
RECBOLE = {"token": CATEGORY, "token_seq": CATEGORIES, "float": NUMBER, "float_seq": VECTOR}
"""Of a header such as `brand:token`"""
CODE = re.compile(r"(id|code|type|category|class|group|zip)$")
"""How names of whole numbers that count nothing end"""
FEW, ROWS_EACH = 100, 10
"""Whole numbers are categories where there are so few, each in so many rows on average"""
SAMPLE = 1000
LARGE = 2**24
"""Above it float32 has not every whole number"""
NEARLY = 0.95
"""Share of a column's values that is nearly all of them"""
LENGTHS = "lists of numbers of different lengths"


@dataclass(frozen=True)
class Type:
    """The type of a column."""

    name: str
    """One of `TYPES`"""
    why: str = ""
    """Why it is left out"""
    separator: str = ""
    """Between several values, where they are one text; "[" for lists in brackets"""


def parse(value: Any, where: str) -> dict[str, str]:
    """Column → type, from a mapping or "brand=category,title=no"; YAML reads `no` as false.

    Raises:
        InputError: text of another form, or another type; `where` it stands comes first.
    """
    if isinstance(value, Mapping):
        value = {name: LEFT_OUT if each is False else each for name, each in value.items()}
    found = pairs(value, where)
    for column, name in found.items():
        if name not in TYPES:
            raise InputError(f"{where}, {column}: {unknown('type', name, TYPES)}")
    return found


def find(cells: Cells, chosen: str = "") -> Type:
    """The type of a column, `chosen` or found; the rules are in docs/own-data.md.

    Raises:
        InputError: a type is chosen for a column of objects.
    """
    objects = cells.is_nested and not holds_lists(cells)
    if objects and chosen not in ("", LEFT_OUT):
        raise InputError(
            f"{cells.path}: column '{cells.column}' holds objects ({cells.arrow_type()}) and no {chosen}; "
            "write a column for each of their fields, or leave it out"
        )
    declared = RECBOLE.get(cells.column.partition(":")[2], "")
    if chosen == CATEGORIES or (declared == CATEGORIES and not chosen):
        return Type(CATEGORIES, separator=_separator(cells, BLANK if declared == CATEGORIES else ""))
    if chosen:
        return Type(chosen)
    if holds_lists(cells):
        return _of_lists(cells)
    kind = cells.arrow_type()
    if kind.startswith(("timestamp", "date", "time", "duration")):
        return Type(LEFT_OUT, "times")
    if objects:
        return Type(LEFT_OUT, "objects")
    values = Values.of(cells)
    if not values.texts:
        return Type(LEFT_OUT, "no value")
    if len(values.texts) == 1 and values.known == len(cells):
        return Type(LEFT_OUT, "one value")
    if declared in (NUMBER, VECTOR):
        return Type(declared)
    numbers = np.isfinite(values.numbers()).all()
    if numbers and not declared:
        return _of_numbers(values)
    return _of_texts(values, one=declared == CATEGORY)


def is_code(column: str) -> bool:
    """Whether whole numbers of a column of this name count nothing."""
    return CODE.search(header.plain(column)) is not None


def _separator(cells: Cells, declared: str) -> str:
    """Of a column that holds several values a row."""
    if holds_lists(cells):
        return ""
    texts = Values.of(cells).texts
    if are_lists(texts):
        return "["
    used = (each for each in SEPARATORS if any(each in text for text in texts))
    return declared or next(used, "")


def _of_lists(cells: Cells) -> Type:
    inside = cells.arrow_type().partition("<")[2]
    if not re.search(r"float|double", inside):
        return (
            Type(CATEGORIES)
            if re.search(r": (large_)?(string|u?int|bool|dictionary)", inside)
            else Type(LEFT_OUT, "objects")
        )
    return _of_lengths(vectors.lengths(cells))


def _of_lengths(lengths: set[int]) -> Type:
    some = lengths - {0}
    if not some:
        return Type(LEFT_OUT, "no value")
    return Type(VECTOR) if len(some) == 1 else Type(LEFT_OUT, LENGTHS)


def _of_numbers(values: Values) -> Type:
    texts, cells = values.texts, values.cells
    if header.TIME_LIKE.search(cells.column) and _reads_as_times(cells):
        return Type(LEFT_OUT, "times")
    whole = all(re.fullmatch(r"-?[0-9]+", text) for text in texts)
    numbers = values.numbers()
    collapsed = 2 * len(np.unique(numbers.astype(np.float32))) < len(texts)
    zeros = any(re.match(r"-?0[0-9]", text) for text in texts)
    coded = whole and (is_code(cells.column) or zeros or collapsed)
    large = whole and (np.abs(numbers) > LARGE).mean() >= NEARLY
    if coded and not large and len(texts) == values.known:
        return Type(LEFT_OUT, "all differ")
    if large and 2 * len(texts) > values.known:
        return Type(LEFT_OUT, "whole numbers above 2^24 that mostly differ, as ids do")
    few = whole and len(texts) <= FEW and values.known >= ROWS_EACH * len(texts)
    return Type(CATEGORY if coded or few else NUMBER)


def _of_texts(values: Values, one: bool) -> Type:
    """`one` is whether each text is a single value by its header."""
    if not one and _reads_as_times(values.cells):
        return Type(LEFT_OUT, "times")
    if not one and are_lists(values.texts):
        rows = [listed(text) or [] for text in values.texts]
        if all(re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", part) for row in rows for part in row) and any(
            "." in part for row in rows for part in row
        ):
            return _of_lengths({len(row) for row in rows})
        return Type(CATEGORIES, separator="[")
    separator = "" if one else separator_of(values)
    if separator and _recur([split(text, separator) for text in values.texts], values):
        return Type(CATEGORIES, separator=separator)
    if len(values.texts) == values.known:
        return Type(LEFT_OUT, "all differ")
    return Type(CATEGORY) if _recur([[text] for text in values.texts], values) else Type(LEFT_OUT, "text")


def _recur(parts: list[list[str]], values: Values) -> bool:
    """Whether half of the values, those of each of `values.texts`, are also those of another row."""
    rows: dict[str, int] = {}
    for found, count in zip(parts, values.counts.tolist(), strict=True):
        for part in found:
            rows[part] = rows.get(part, 0) + count
    again = sum(count for count in rows.values() if count > 1)
    return 2 * again >= sum(rows.values())


def _reads_as_times(cells: Cells) -> bool:
    sample = cells.take(~cells.missing())
    sample = replace(sample, values=sample.values.iloc[:SAMPLE])
    try:
        found = times.read(sample)
    except InputError:
        return False
    first, last = unix_times.PLAUSIBLE
    return bool(((found.seconds >= first) & (found.seconds <= last)).all())
