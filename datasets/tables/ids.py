"""Raw ids of a user's file as text: none is merged with another or split in two without a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

WHOLE = re.compile(r"(?:0|-?[1-9][0-9]*)(?:\.0+)?")
ROUNDED = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")
LARGEST_WHOLE = {"halffloat": 2**11, "float": 2**24, "double": 2**53}
"""Parquet's floats → up to where they hold every whole number"""
FRACTIONAL = (*LARGEST_WHOLE, "decimal")
KINDS = re.compile(r"u?int[0-9]+|(?:large_)?(?:string|binary)(?:_view)?|fixed_size_binary\[[0-9]+\]|")
"""Parquet's types of ids, beside `FRACTIONAL`; "" is text of another file"""
PLACEHOLDERS = frozenset({"nan", "null", "none", "na", "n/a", "<na>", "\\n", "undefined", "nil"})
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character, as JSON may escape it"""
INVISIBLE = frozenset({"Cf", "Cc"})
"""Unicode's categories of characters that are not seen: zero-width spaces, marks of direction, controls"""

Coded = tuple[npt.NDArray[np.object_], npt.NDArray[np.int32], tuple[str, ...]]


def without_placeholder(text: str) -> str:
    """`text` without the blanks around it; "" where it stands for no value."""
    text = text.strip()
    return "" if text.lower() in PLACEHOLDERS else text


def read(cells: Cells) -> Coded:
    """Sorted distinct ids (object[k], str), the code of each row (int32[n]), and what a reader should know.

    Text without the blanks around it; whole numbers as such, "12" for 12.0 where a column of floats, or of
    text that is nothing but whole numbers, holds it; bytes as the text they are, else in hexadecimal.

    Args:
        cells: without missing values.

    Raises:
        InputError: values that are no ids (lists, dates, fractions, true and false), or that lost digits.
    """
    import pandas as pd

    _check_kind(cells)
    codes, uniques = pd.factorize(cells.values)
    raw, notes = _text(cells, codes, uniques)
    trimmed = [text.strip() for text in raw]
    if len(set(trimmed)) < len(set(raw)):
        notes.append(f"ids of column '{cells.column}' that differ by the blanks around them alone are one")
    names, notes_on_wholes = _wholes(cells, codes, trimmed)
    notes += notes_on_wholes + _check(cells, codes, names)
    again, ids = pd.factorize(np.array(names, dtype=object), sort=True)
    return np.asarray(ids, dtype=object), again.astype(np.int32)[codes], tuple(notes)


def _text(cells: Cells, codes: npt.NDArray[np.int64], uniques: Iterable) -> tuple[list[str], list[str]]:
    """Each distinct value as text, with notes."""
    kind = cells.arrow_type()
    if kind.startswith(FRACTIONAL):
        values = list(uniques)
        notes = [_floats_note(cells)] if any("." in str(value) for value in values) else []
        return _of_fractional(cells, codes, values), notes
    if "binary" in kind:
        return _bytes(cells, [bytes(value) for value in uniques])
    return [str(value) for value in uniques], []


def _check_kind(cells: Cells) -> None:
    kind = cells.arrow_type()
    if kind.startswith(("list", "large_list", "fixed_size_list")):
        raise InputError(
            f"{cells.path}: column '{cells.column}' holds lists ({kind}); write a row for each of their "
            f"values, such as by pandas' explode('{cells.column}')"
        )
    if not KINDS.fullmatch(kind) and not kind.startswith(FRACTIONAL):
        problem = f"holds {kind}, which is no id; write ids as text or whole numbers"
        raise InputError(f"{cells.path}: column '{cells.column}' {problem}")


def _of_fractional(cells: Cells, codes: npt.NDArray[np.int64], values: list) -> list[str]:
    """Floats or decimals that are whole numbers."""
    limit = LARGEST_WHOLE.get(cells.arrow_type())
    for code, value in enumerate(values):
        if value != value // 1:
            raise _wrong(cells, codes, code, "is no id: ids are text or whole numbers")
        if limit and abs(value) > limit:
            size = f"2^{limit.bit_length() - 1}"
            raise _wrong(
                cells, codes, code, f"is a float above {size}, whose last digits are lost; save integers"
            )
    return [str(int(value)) for value in values]


def _bytes(cells: Cells, values: list[bytes]) -> tuple[list[str], list[str]]:
    try:
        text = [value.decode() for value in values]
    except UnicodeDecodeError:
        text = []
    if text and all(value.isprintable() for value in text):
        return text, [f"ids of column '{cells.column}' are bytes, read as text"]
    return [value.hex() for value in values], [
        f"ids of column '{cells.column}' are bytes, read as hexadecimal"
    ]


def _wholes(cells: Cells, codes: npt.NDArray[np.int64], names: list[str]) -> tuple[list[str], list[str]]:
    """Without the ".0" of whole numbers, where every id is a whole number and some are written as floats."""
    floats = [code for code, name in enumerate(names) if "." in name]
    if not floats or not all(WHOLE.fullmatch(name) for name in names):
        return names, []
    for code in floats:
        if abs(int(names[code].partition(".")[0])) > LARGEST_WHOLE["double"]:
            raise _wrong(
                cells, codes, code, "is a float above 2^53, whose last digits are lost; write ids as integers"
            )
    return [name.partition(".")[0] for name in names], [_floats_note(cells)]


def _floats_note(cells: Cells) -> str:
    return f"ids of column '{cells.column}' are whole numbers written as floats: 12.0 is read as 12"


def _check(cells: Cells, codes: npt.NDArray[np.int64], names: list[str]) -> list[str]:
    """Notes on ids that are suspicious; InputError where they are no ids at all."""
    if all(name.startswith("[") and name.endswith("]") for name in names):
        raise _wrong(cells, codes, 0, "is a list; write a row for each of its values")
    for code, name in enumerate(names):
        if ROUNDED.fullmatch(name):
            raise _wrong(cells, codes, code, "is a rounded number; write ids in full")
        if not name.isascii() and SURROGATE.search(name):
            raise _wrong(cells, codes, code, "has half of a character; write ids as UTF-8 text")
    notes = []
    if all(len(name) > 1 and name[0] == name[-1] == '"' for name in names):
        notes.append(f"ids of column '{cells.column}' stand in quotes, which are taken for a part of them")
    empty = [code for code, name in enumerate(names) if name.lower() in PLACEHOLDERS]
    for code in empty:
        rows = int((codes == code).sum())
        notes.append(
            f"{rows:,} rows have '{names[code]}' in column '{cells.column}', which is taken for an id: "
            "where it means none, leave it empty and give --drop-incomplete"
        )
    pairs = _lookalikes(names)
    if pairs:
        one, other = sorted(pairs[0], key=len)
        notes.append(
            f"{len(pairs):,} ids of column '{cells.column}' look like others and are not the same, such as "
            f"{one!a} and {other!a}"
        )
    return notes


def _lookalikes(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of different ids that look the same."""
    seen: dict[str, str] = {name: name for name in names if _seen(name) == name}
    pairs = []
    for name in sorted(set(names) - set(seen)):
        look = _seen(name)
        if look in seen:
            pairs.append((seen[look], name))
        seen.setdefault(look, name)
    return pairs


def _seen(name: str) -> str:
    """What is seen of an id: no invisible characters, one kind of blank, no quotes or ".0" around a value."""
    if not (name.isascii() and name.isprintable()):
        name = unicodedata.normalize("NFC", name)
        name = "".join(sign for sign in name if unicodedata.category(sign) not in INVISIBLE or sign.isspace())
    if "  " in name or not name.isprintable():
        name = " ".join(name.split())
    name = name.strip(" \"'")
    return name.partition(".")[0] if WHOLE.fullmatch(name) else name


def _wrong(cells: Cells, codes: npt.NDArray[np.int64], code: int, problem: str) -> InputError:
    return cells.wrong(int(np.argmax(codes == code)), problem)
