"""Times in every form that logs give them in, and those that may not be guessed."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import parse
from retrieval_leaderboard.datasets.times.date_codes import CODES, fitting, width
from retrieval_leaderboard.datasets.times.unix_times import ORDER, Times
from retrieval_leaderboard.support.errors import InputError

NEW_YEAR = 1_577_836_800


def read(values: list, form: str = "", kind: pa.DataType | None = None) -> Times:
    dtype = str if kind is None else pd.ArrowDtype(kind)
    series = pd.Series(values, dtype=dtype, index=pd.RangeIndex(2, len(values) + 2))
    return parse.read(Cells(Path("log.csv"), "time", series), form)


def exact(found: Times) -> list[int]:
    """Nanoseconds since 1970."""
    return [
        second * 10**9 + rest
        for second, rest in zip(found.seconds.tolist(), found.nanoseconds.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("1577836800", "seconds"),
        ("1577836800000", "milliseconds"),
        ("1577836800000000", "microseconds"),
        ("1577836800000000000", "nanoseconds"),
        ("1577836800.0", "seconds"),
        (" 1577836800 ", "seconds"),
    ],
)
def test_the_unit_is_found_from_the_values_and_told(value: str, unit: str):
    found = read([value, "0"])
    assert exact(found) == [NEW_YEAR * 10**9, 0]
    assert found.unit == f"{unit} since 1970"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1600000000.9", "1600000000.1"], [1600000000_900000000, 1600000000_100000000]),
        (["1600000000123.456789"], [1600000000_123456789]),
        (["1600000000.1234567891"], [1600000000_123456789]),
        (["9007199254740993", "9007199254740992"], [9007199254740993000, 9007199254740992000]),
        (["1577836800000000001"], [1577836800000000001]),
        (["-1.25", "3"], [-1_250000000, 3_000000000]),
        (["43831.75", "43831.25"], [43831_750000000, 43831_250000000]),
    ],
)
def test_numbers_are_exact_to_the_nanosecond(values: list[str], expected: list[int]):
    assert exact(read(values)) == expected


def test_numbers_that_lie_before_1980_are_an_order():
    found = read(["10", "20", "1000000"])
    assert found.seconds.tolist() == [10, 20, 1_000_000]
    assert (found.unit, found.warnings) == (ORDER, ())


def test_odd_dates_are_warned_of():
    (warning,) = read(["1577836800", "0", "9999999999"]).warnings
    assert "2 times lie before 1980 or after 2100" in warning
    assert read(["1577836800"]).warnings == ()
    (warning,) = read(["1577836800", "1577836801"], "ms").warnings
    assert warning == "2 times lie before 1980 or after 2100: are they in milliseconds?"
    (warning,) = read(["1577836800000"], "s").warnings
    assert warning == "1 times lie before 1980 or after 2100: are they in seconds?"
    assert read(["1", "2"], "s").warnings == read(["01.01.1970"], "%d.%m.%Y").warnings == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020-01-01", NEW_YEAR),
        ("2020-01-01T00:00:00Z", NEW_YEAR),
        ("2020-01-01 00:00:00", NEW_YEAR),
        ("2020-01-01 00:00:00 UTC", NEW_YEAR),
        ("2020-01-01T02:00:00+02:00", NEW_YEAR),
        ("2019-12-31T19:00:00-0500", NEW_YEAR),
        ("20200101T000000Z", NEW_YEAR),
        ("2020/01/01 00:00", NEW_YEAR),
        ("2020-01-01T00:00:00,5", NEW_YEAR + 0.5),
        ("2020-01-01T00:00:00.000000001", NEW_YEAR),
        ("2020-02-29", NEW_YEAR + 59 * 86_400),
    ],
)
def test_iso_8601(text: str, seconds: float):
    found = read([text])
    assert found.seconds[0] == int(seconds)
    if seconds % 1:
        assert found.nanoseconds[0] == 500_000_000
    assert parse.read_one(text) == int(seconds)


def test_zones_may_differ_and_their_lack_is_told():
    found = read(["2020-01-01T02:00:00+02:00", "2020-01-01T00:00:00Z"])
    assert found.seconds.tolist() == [NEW_YEAR, NEW_YEAR]
    assert found.unit == "ISO 8601 with time zones"
    assert "without time zone, as UTC" in read(["2020-01-01"]).unit
    assert read(["2020-01-01T00:00:00.000000007"]).nanoseconds.tolist() == [7]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1577836800", "1577836800000"], "line 3: '1577836800000' .* in milliseconds .* in seconds"),
        (
            ["1577836800", "2020-01-01"],
            "line 3: '2020-01-01' .* is a date and '1577836800' .line 2. a number",
        ),
        (["2020-01-01", "2020-01-01T00:00:00Z"], "line 2: '2020-01-01' .* has no time zone"),
        (["5", "noon"], "line 3: 'noon' in column 'time' is not a number and not an ISO 8601 date"),
        (["2019-02-29"], "'2019-02-29' .* not an ISO 8601 date"),
        (["now"], "'now'"),
        (["today", "2020-01-01"], "'today'"),
        (["nan"], "'nan'"),
        (["10:22:32"], "'10:22:32'"),
        (["١٢"], "'١٢' .* is not a number"),
        (["1²"], "'1²' .* is not a number"),
        (["2020-01-01 00:00:00 CET"], "CET"),
        (["1600000000,5"], "decimal comma"),
        (["1e300"], "1e300 in column 'time' is too large"),
        (["1.58E+12"], "lost its last digits"),
        (["9223372036854775808"], "too large"),
        (["99999999999999999999999"], "too large"),
        (["513", "1231"], "--time-format %m%d"),
        (["0513", "0512"], "'0513' .* --time-format %m%d"),
        (["007", "0900"], "'007' .* begins with 0"),
        (["20200131", "20191231"], "--time-format %Y%m%d"),
        (["2020013123"], "--time-format %Y%m%d%H"),
        (["202001312359"], "--time-format %Y%m%d%H%M"),
        (["20200131235959"], "--time-format %Y%m%d%H%M%S"),
        (["202001", "201912"], "--time-format %Y%m"),
        (["2019", "2020"], "--time-format %Y"),
        (["12/1/2010 8:26"], "'%m/%d/%Y %H:%M' or '%d/%m/%Y %H:%M'"),
        (["12/1/2010 8:26", "12/31/2010 8:26"], "'12/1/2010 8:26' .* --time-format '%m/%d/%Y %H:%M'$"),
    ],
)
def test_what_is_not_plain_is_refused(values: list[str], message: str):
    with pytest.raises(InputError, match=message):
        read(values)


@pytest.mark.parametrize(
    ("value", "form", "seconds"),
    [
        ("1577836800000", "ms", NEW_YEAR),
        ("20200101", "s", 20_200_101),
        ("20200101", "%Y%m%d", NEW_YEAR),
        ("12/31/2019 23:00 -0100", "%m/%d/%Y %H:%M %z", NEW_YEAR),
        ("2020", "%Y", NEW_YEAR),
    ],
)
def test_a_format_decides(value: str, form: str, seconds: int):
    assert read([value], form).seconds.tolist() == [seconds]
    assert parse.read_one(value, form) == seconds


def test_a_format_without_a_year_and_zeros_that_were_lost():
    days = (read(["0111", "111", "1101", "229"], "%m%d").seconds - 946_684_800) // 86_400
    assert days.tolist() == [10, 10, 305, 59]
    assert "in the year 2000" in read(["111"], "%m%d").unit
    assert (
        read([111, 1101], "%m%d", pa.int16()).seconds.tolist()
        == read(["0111", "1101"], "%m%d").seconds.tolist()
    )


@pytest.mark.parametrize(
    ("value", "form", "message"),
    [
        ("5", "seconds", "give s, ms, us, ns, or a format"),
        ("5", "%Q", "'Q' is a bad directive"),
        ("2020-01-01", "s", "is no number, as --time-format s says"),
        ("2020-13-01", "%Y-%m-%d", "line 2: '2020-13-01' .* does not fit --time-format '%Y-%m-%d'"),
        ("now", "%Y-%m-%d", "'now' .* does not fit"),
    ],
)
def test_a_format_that_does_not_fit(value: str, form: str, message: str):
    with pytest.raises(InputError, match=message):
        read([value], form)


@pytest.mark.parametrize(
    ("value", "kind", "nanoseconds"),
    [
        (datetime.date(2020, 1, 1), pa.date32(), NEW_YEAR * 10**9),
        (datetime.date(2020, 1, 1), pa.date64(), NEW_YEAR * 10**9),
        (datetime.datetime(2020, 1, 1), pa.timestamp("s"), NEW_YEAR * 10**9),
        (datetime.datetime(2020, 1, 1, 0, 0, 0, 5), pa.timestamp("us"), NEW_YEAR * 10**9 + 5000),
        (NEW_YEAR * 10**9 + 7, pa.timestamp("ns", "Europe/Berlin"), NEW_YEAR * 10**9 + 7),
        (NEW_YEAR, pa.uint64(), NEW_YEAR * 10**9),
        (NEW_YEAR + 0.25, pa.float64(), NEW_YEAR * 10**9 + 250_000_000),
        (Decimal("1577836800.000000001"), pa.decimal128(30, 9), NEW_YEAR * 10**9 + 1),
        ("2020-01-01", pa.large_string(), NEW_YEAR * 10**9),
    ],
)
def test_types_of_parquet(value: object, kind: pa.DataType, nanoseconds: int):
    assert exact(read([value], kind=kind)) == [nanoseconds]


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (datetime.timedelta(5), pa.duration("us"), r"holds duration\[us\], which is no moment"),
        (datetime.time(5), pa.time64("us"), "holds time64"),
        (True, pa.bool_(), "holds bool"),
        (1.6e18, pa.float64(), r"float above 2\^53"),
        (float(2**25), pa.float32(), r"float above 2\^24"),
        (float("inf"), pa.float64(), "is not a number"),
        (2**64 - 1, pa.uint64(), "too large"),
        (20200131, pa.int32(), "--time-format %Y%m%d"),
    ],
)
def test_types_that_hold_no_moment(value: object, kind: pa.DataType, message: str):
    with pytest.raises(InputError, match=message):
        read([value], kind=kind)


def test_dates_need_no_format():
    with pytest.raises(InputError, match="leave --time-format out"):
        read([datetime.date(2020, 1, 1)], "%Y", pa.date32())


@pytest.mark.parametrize(
    "value", [NEW_YEAR, NEW_YEAR * 1000, NEW_YEAR * 10**6, NEW_YEAR * 10**9, NEW_YEAR + 0.5]
)
def test_one_value_of_any_unit(value: int | float):
    assert parse.read_one(value) == NEW_YEAR
    assert parse.read_one(f" {value} ") == NEW_YEAR


@pytest.mark.parametrize(
    "value", [20200131, 2**63, True, float("nan"), float("inf"), "", "noon", "now", "1e9", None, [1]]
)
def test_one_value_that_is_no_moment_is_named(value: object):
    with pytest.raises(InputError, match=r"timestamp is .*: give unix seconds") as error:
        parse.read_one(value)  # type: ignore[arg-type]
    assert repr(value) in str(error.value)


def test_dates_in_digits():
    assert "%Y%m%d" in fitting(np.array([20200131, 19991231]))
    assert fitting(np.array([20200131, 20200132])) == []
    assert fitting(np.arange(1, 500)) == []
    assert fitting(np.array([], dtype=np.int64)) == []
    assert [width(code) for code in CODES[:3]] == [8, 10, 12]
    assert width("%d.%m.%Y") == width("%B") == 0
