"""Moments in all the forms in which logs give them, for files and for single values."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import formats, unix_times
from retrieval_leaderboard.datasets.times.date_codes import PLAIN, fitting
from retrieval_leaderboard.datasets.times.unix_times import NAMED, PLAUSIBLE, UNITS, Times
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TEXT = ("", "string", "large_string", "string_view")
# In a group: pandas 2 matches the first of two branches to the start of an Arrow column's text alone.
ISO = r"(?:[0-9]{4}[-/][0-9]{1,2}(?:[-/][0-9]{1,2})?(?:[T ].*)?|[0-9]{8}T[0-9]+.*)"
ZONED = r".*[T ].*(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
UTC_NAMES = r"\s*(?:UTC|GMT|Z|z)$"
ADVICE = "give unix times or ISO 8601, or say how to read it, such as --time-format '%d.%m.%Y'"


def read(cells: Cells, form: str = "") -> Times:
    """A column of moments.

    Args:
        cells: without missing values. Numbers since 1970 (see `unix_times`), ISO 8601 dates and times (those
            without a zone are taken as UTC), or a Parquet column of dates, timestamps or periods.
        form: a unit of `UNITS` or a format of strptime; found from the values where it is "".

    Raises:
        InputError: what is no moment, or may be two different ones: the message names line and value.
    """
    if form:
        formats.check(form)
    times = _read(cells, form)
    early, late = (int(odd.sum()) for odd in (times.seconds < PLAUSIBLE[0], times.seconds > PLAUSIBLE[1]))
    return replace(times, warnings=implausible(early, late, form, times.unit))


def implausible(early: int, late: int, form: str, unit: str) -> tuple[str, ...]:
    """The warning on so many times before 1980 or after 2100; `form` as for `read`, `unit` as `Times.unit`.

    Early ones are meant where numbers give an order, as they may in seconds, or where a format has the year.
    """
    meant = unit == unix_times.ORDER or form == "s" or (form and form not in UNITS)
    count = late if meant else early + late
    if not count:
        return ()
    other = f"are they in {NAMED[form]}" if form in UNITS else "are they right, or is --time-format needed"
    return (f"{count:,} times lie before 1980 or after 2100: {other}?",)


def _read(cells: Cells, form: str) -> Times:
    kind = cells.arrow_type()
    if kind.startswith(("timestamp", "date")):
        if form:
            raise InputError(
                f"{cells.path}: column '{cells.column}' holds dates already; leave --time-format out"
            )
        zone = "" if "tz=" in kind or kind.startswith("date") else ", as UTC"
        return formats.of_dates(cells.values, f"Parquet {kind}{zone}")
    if kind not in TEXT and not kind.startswith(formats.NUMERIC):
        raise InputError(f"{cells.path}: column '{cells.column}' holds {kind}, which is no moment; {ADVICE}")
    if form and form not in UNITS:
        return formats.read(cells, form)
    return _of_text(cells, form) if kind in TEXT else unix_times.read(cells, form)


def read_one(value: int | float | str, form: str = "") -> int:
    """One moment as unix seconds, rounded down: what a file may hold, of any unit.

    Args:
        value: a number since 1970, its unit found from its size, or the text of one, or ISO 8601.
        form: as for `read`.

    Raises:
        InputError: what is no moment, or a number that is a date written in digits, such as 20200131.
    """
    if isinstance(value, str) and not form:
        value = _plain(value)
    if isinstance(value, int) and not isinstance(value, bool) and not form:
        if abs(value) >= 2**63 or fitting(np.array([value]), PLAIN):
            raise _no_moment(value)
        return value // UNITS[unix_times.unit_of(value)]
    if isinstance(value, float) and not form:
        if not math.isfinite(value) or abs(value) >= 2**63:
            raise _no_moment(value)
        return math.floor(value / UNITS[unix_times.unit_of(int(value))])
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _no_moment(value)
    return _read_text(str(value), form)


def _plain(value: str) -> int | float | str:
    """The number that a text stands for, or the text."""
    text = value.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        return int(text)
    return float(text) if re.fullmatch(unix_times.NUMBER, text) else text


def _read_text(text: str, form: str) -> int:
    import pandas as pd

    if not form and re.fullmatch(ISO, text):
        try:
            moment = datetime.fromisoformat(re.sub(UTC_NAMES, "Z", text))
        except ValueError:
            pass  # pandas reads more of ISO 8601.
        else:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return math.floor(moment.timestamp())
    try:
        return int(read(Cells(Path("request"), "timestamp", pd.Series([text], dtype=str)), form).seconds[0])
    except InputError as error:
        raise _no_moment(text) from error


def _no_moment(value: object) -> InputError:
    return InputError(
        f"timestamp is {value!r}: give unix seconds, milliseconds, microseconds or nanoseconds, or ISO 8601 "
        "such as '2020-01-31T12:00:00Z'"
    )


def _of_text(cells: Cells, unit: str) -> Times:
    text = cells.values.str.strip()
    number = text.str.fullmatch(f"(?:{unix_times.NUMBER}|{unix_times.SCIENTIFIC})").to_numpy(dtype=bool)
    if number.all():
        return unix_times.read(cells, unit)
    iso = text.str.fullmatch(ISO).to_numpy(dtype=bool)
    neither = ~number & ~iso
    if neither.any():
        raise _not_a_time(cells, int(np.argmax(neither)))
    if unit:
        raise cells.wrong(
            int(np.argmax(iso)), f"is no number, as --time-format {unit} says; leave the option out"
        )
    if number.any():
        at, other = int(np.argmax(iso)), int(np.argmax(number))
        found = f"is a date and '{cells.shown(other)}' ({cells.place(other)}) a number"
        raise cells.wrong(at, f"{found}; write all in one form")
    return _of_iso(cells, text)


def _of_iso(cells: Cells, text: pd.Series) -> Times:
    import pandas as pd

    text = text.str.replace(UTC_NAMES, "Z", regex=True).str.replace(r",([0-9]+)", r".\1", regex=True)
    dates = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    wrong = dates.isna().to_numpy(dtype=bool)
    if wrong.any():
        raise _not_a_time(cells, int(np.argmax(wrong)))
    zoned = text.str.fullmatch(ZONED).to_numpy(dtype=bool)
    if zoned.any() and not zoned.all():
        at, other = int(np.argmin(zoned)), int(np.argmax(zoned))
        found = f"has no time zone and '{cells.shown(other)}' ({cells.place(other)}) has one"
        raise cells.wrong(at, f"{found}; give all or none")
    return formats.of_dates(
        dates, "ISO 8601 with time zones" if zoned.all() else "ISO 8601 without time zone, as UTC"
    )


def _not_a_time(cells: Cells, at: int) -> InputError:
    proposed = [f"'{form}'" for form in formats.proposed(cells, at)]
    if proposed:
        return cells.wrong(at, f"is not ISO 8601; say how to read it: --time-format {' or '.join(proposed)}")
    return cells.wrong(at, f"is not a number and not an ISO 8601 date; correct it{cells.hint(at)}, {ADVICE}")


def as_utc(seconds: npt.NDArray[np.int64] | int) -> str:
    """A moment in ISO 8601, UTC: "2020-01-31T12:00:00Z"."""
    return f"{np.datetime64(int(seconds), 's')}Z"
