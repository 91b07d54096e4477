"""Raw ids: exact, whatever they are stored as, and nothing merged or split without a word."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.tables import ids
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError


def read(values: list, kind: pa.DataType | None = None) -> tuple[list[str], tuple[str, ...]]:
    """The id of each row, and the notes."""
    dtype = str if kind is None else pd.ArrowDtype(kind)
    series = pd.Series(values, dtype=dtype, index=pd.RangeIndex(2, len(values) + 2))
    names, codes, notes = ids.read(Cells(Path("log.csv"), "user", series))
    assert names.tolist() == sorted(set(names))
    return names[codes].tolist(), notes


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["b", "a", "b"], None, ["b", "a", "b"]),
        (["007", "7", "99999999999999999999"], None, ["007", "7", "99999999999999999999"]),
        ([10**18 + 1, -3], pa.int64(), ["1000000000000000001", "-3"]),
        ([2**64 - 1], pa.uint64(), [str(2**64 - 1)]),
        (["x"], pa.large_string(), ["x"]),
        ([Decimal("12345678901234567890")], pa.decimal128(20, 0), ["12345678901234567890"]),
    ],
)
def test_text_and_whole_numbers_are_taken_as_they_are(
    values: list, kind: pa.DataType | None, expected: list[str]
):
    assert read(values, kind) == (expected, ())


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1.0, 12.0, 2.0**53], pa.float64(), ["1", "12", str(2**53)]),
        ([Decimal("12.00")], pa.decimal128(6, 2), ["12"]),
        (["1.0", "12.0"], None, ["1", "12"]),
        (["1.0", "12", "1"], None, ["1", "12", "1"]),
    ],
)
def test_whole_floats_are_whole_numbers_and_told(values: list, kind: pa.DataType | None, expected: list[str]):
    found, notes = read(values, kind)
    assert found == expected
    assert notes == ("ids of column 'user' are whole numbers written as floats: 12.0 is read as 12",)


@pytest.mark.parametrize("values", [["1.0", "a"], ["1.5", "2.0"], ["01.0", "1.0"], ["1.0.0", "2.0"]])
def test_text_that_is_not_all_whole_numbers_is_text(values: list[str]):
    assert read(values)[0] == values


def test_bytes_are_text_or_hexadecimal():
    assert read([b"ab", b"c"], pa.binary()) == (
        ["ab", "c"],
        ("ids of column 'user' are bytes, read as text",),
    )
    for values, kind in (([b"\xc8\x01"], pa.binary()), ([b"\x01\x02"], pa.binary(2))):
        found, (note,) = read(values, kind)
        assert found == [values[0].hex()]
        assert "read as hexadecimal" in note


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (
            [2.0**53 + 2],
            pa.float64(),
            r"line 2: '9007199254740994.0' in column 'user' is a float above 2\^53",
        ),
        ([1.0, 2.0**24 + 2], pa.float32(), r"line 3: .* above 2\^24"),
        (["9007199254740993.0"], None, r"line 2: '9007199254740993.0' .* above 2\^53"),
        ([1.0, 2.5], pa.float64(), "line 3: '2.5' .* is no id"),
        ([float("inf")], pa.float64(), "'inf' .* is no id"),
        ([Decimal("1.50")], pa.decimal128(6, 2), "'1.50' .* is no id"),
        (["1", "1.23E+15"], None, r"line 3: '1.23E\+15' .* rounded number"),
        (["[1, 2]", "[3]"], None, "is a list"),
        ([["a"]], pa.list_(pa.string()), "holds lists"),
        ([{"a": 1}], pa.struct([("a", pa.int64())]), "which is no id"),
        ([True], pa.bool_(), "holds bool, which is no id"),
        ([datetime.date(2020, 1, 1)], pa.date32(), "which is no id"),
    ],
)
def test_what_is_no_id_is_refused(values: list, kind: pa.DataType | None, message: str):
    with pytest.raises(InputError, match=message):
        read(values, kind)


def test_blanks_around_an_id_are_no_part_of_it_and_a_merge_is_told():
    assert read([" a", "b "]) == (["a", "b"], ())
    found, (note,) = read(["a", " a", "a\u00a0"])
    assert found == ["a", "a", "a"]
    assert "differ by the blanks around them alone are one" in note


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1\u200b"),
        ("1", "\ufeff1"),
        ("a b", "a\u00a0b"),
        ("a b", "a  b"),
        ("\u00e9", "e\u0301"),
        ("a", "a\u200e"),
        ("1\u200b", "1\u200c"),
        ('"a"', "a"),
    ],
)
def test_ids_that_look_alike_stay_apart_and_are_told_with_both(one: str, other: str):
    found, (note,) = read([one, other, "z"])
    assert found == [one, other, "z"]
    assert ascii(one) in note and ascii(other) in note
    assert "1 ids" in note


def test_ids_that_may_stand_for_none_are_told_with_their_rows():
    found, notes = read(["NULL", "a", "NULL", "nan"])
    assert found == ["NULL", "a", "NULL", "nan"]
    assert [note[:20] for note in sorted(notes)] == ["1 rows have 'nan' in", "2 rows have 'NULL' i"]
    assert "--drop-incomplete" in notes[0]
