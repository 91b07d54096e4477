"""Numbers as moments: seconds, milliseconds, microseconds or nanoseconds since 1970, by their size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times.date_codes import fitting

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""unit → how many make a second"""
NAMED = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
FIRST_OF_UNIT = {"ns": 10**17, "us": 10**14, "ms": 10**11}
"""From this size on a number is taken for the unit: below, it would lie before March 1973."""
PLAUSIBLE = (315_532_800, 4_102_444_800)
"""1980 and 2100: unix seconds between which the times of a log are expected to lie."""
BILLION = 10**9
LARGEST = str(2**63 - 1)
ORDER = "numbers that give an order, not dates: as unix seconds they would lie before 1980"

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
SCIENTIFIC = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+"
PARTS = r"^(?P<sign>[+-]?)(?P<whole>[0-9]*)\.?(?P<part>[0-9]*)$"
LEADING_ZERO = r"0[0-9]+(?:\.[0-9]*)?"

Wholes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Times:
    """Moments of n rows, exact to the nanosecond."""

    seconds: npt.NDArray[np.int64]
    """int64[n]: whole seconds since 1970, rounded down"""
    nanoseconds: npt.NDArray[np.int32]
    """int32[n], 0 … 999,999,999: what comes on top of `seconds`"""
    unit: str
    """How they were given, in words: "milliseconds since 1970" """
    warnings: tuple[str, ...] = ()


def unit_of(number: int) -> str:
    """The unit that a number of this size is taken to be in, one of `UNITS`."""
    return next((unit for unit, first in FIRST_OF_UNIT.items() if abs(number) >= first), "s")


def read(cells: Cells, unit: str = "") -> Times:
    """A column of numbers: plain text, integers, floats or decimals.

    Args:
        cells: without missing values.
        unit: one of `UNITS`; found from the values where it is "".

    Raises:
        InputError: no number, one that lost digits, numbers of several units, or numbers that are
            dates written as digits (yyyymmdd, mmdd, …).
    """
    wholes, parts = exact(cells)
    found = unit or _unit(cells, wholes)
    times = moments(wholes, parts, found)
    if unit:
        return replace(times, unit=f"{NAMED[unit]}, as given")
    dated = times.seconds.max(initial=0) >= PLAUSIBLE[0]
    _refuse_dates(cells, wholes, dated)
    return replace(times, unit=f"{NAMED[found]} since 1970" if dated else ORDER)


def moments(wholes: Wholes, parts: Wholes, unit: str) -> Times:
    """Numbers in `unit`, each a whole int64[n] and billionths int64[n] on top of it."""
    per_second = UNITS[unit]
    seconds, rest = np.divmod(wholes, per_second)
    nanoseconds = rest * (BILLION // per_second) + parts // per_second
    return Times(seconds, nanoseconds.astype(np.int32), unit)


def _unit(cells: Cells, wholes: Wholes) -> str:
    """The one unit of all numbers; a zero is the same moment in each."""
    sizes = np.abs(wholes)
    band = np.searchsorted(sorted(FIRST_OF_UNIT.values()), sizes, side="right")
    counted = np.flatnonzero(wholes)
    if not len(counted):
        return "s"
    first = int(counted[0])
    others = counted[band[counted] != band[first]]
    if len(others):
        other = int(others[0])
        beside = f"'{cells.shown(first)}' ({cells.place(first)}) in {_named(wholes[first])}"
        raise cells.wrong(
            other,
            f"is in {_named(wholes[other])} by its size, and {beside}; write all in one unit, or say which "
            "by --time-format s, ms, us or ns",
        )
    return unit_of(int(wholes[first]))


def _named(number: np.int64) -> str:
    return NAMED[unit_of(int(number))]


def _refuse_dates(cells: Cells, wholes: Wholes, dated: bool) -> None:
    """Refuse numbers each of which may be a date written in digits; `dated` ones give dates as they are."""
    formats = fitting(wholes)
    if not formats and not dated:
        refuse_leading_zeros(cells)
    if formats:
        known = " or ".join(formats)
        raise cells.wrong(
            0,
            f"may be a date written in digits, and so may every other value; say how to read them: "
            f"--time-format {known} for dates, s for unix seconds or plain numbers that only give an order",
        )


def refuse_leading_zeros(cells: Cells) -> None:
    """Refuse text that begins with 0, among numbers that only give an order."""
    if cells.arrow_type():
        return
    coded = cells.values.str.strip().str.fullmatch(LEADING_ZERO).fillna(False).to_numpy(dtype=bool)
    if coded.any():
        raise cells.wrong(
            int(np.argmax(coded)),
            "begins with 0, as dates written in digits do; say how to read it by --time-format, such as "
            "--time-format %m%d, or s for a plain number",
        )


def exact(cells: Cells) -> tuple[Wholes, Wholes]:
    """Each number as a whole, rounded down, and the billionths on top of it."""
    kind = cells.arrow_type()
    if kind.startswith(("int", "uint")):
        if kind == "uint64":
            large = cells.values.to_numpy(dtype=np.uint64) > np.uint64(2**63 - 1)
            if large.any():
                raise _too_large(cells, int(np.argmax(large)))
        return cells.values.to_numpy(dtype=np.int64), np.zeros(len(cells), dtype=np.int64)
    if kind in ("halffloat", "float", "double"):
        return _of_floats(cells, {"halffloat": 11, "float": 24, "double": 53}[kind])
    if kind.startswith("decimal"):
        return _of_text(replace(cells, values=cells.values.map("{:f}".format).astype(str)))
    return _of_text(cells)


def _of_floats(cells: Cells, digits: int) -> tuple[Wholes, Wholes]:
    """Floats whose whole numbers are exact up to 2 ** digits."""
    values = cells.values.to_numpy(dtype=np.float64)
    infinite = ~np.isfinite(values)
    if infinite.any():
        raise cells.wrong(int(np.argmax(infinite)), "is not a number; correct it")
    large = np.abs(values) > 2**digits
    if large.any():
        raise cells.wrong(
            int(np.argmax(large)),
            f"is a float above 2^{digits}, whose last digits are lost; save the column as integers",
        )
    wholes = np.floor(values)
    return wholes.astype(np.int64), ((values - wholes) * BILLION).astype(np.int64)


def _of_text(cells: Cells) -> tuple[Wholes, Wholes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = cells.values.str.strip()
    scientific = text.str.fullmatch(SCIENTIFIC).to_numpy(dtype=bool)
    if scientific.any():
        at = int(np.argmax(scientific))
        lost = f"{text.iloc[at]} in column '{cells.column}' is too large, or has lost its last digits"
        raise cells.error(at, f"{lost}; write it in full")
    found = pc.extract_regex(pa.array(text, pa.string()), PARTS)
    sign, whole, part = (pc.struct_field(found, name) for name in ("sign", "whole", "part"))
    digits = pc.utf8_lpad(pc.utf8_ltrim(whole, "0"), len(LARGEST), "0")
    large = pc.or_(pc.greater(pc.utf8_length(digits), len(LARGEST)), pc.greater(digits, LARGEST)).to_numpy(
        False
    )
    if large.any():
        raise _too_large(cells, int(np.argmax(large)))
    wholes = digits.cast(pa.int64()).to_numpy()
    nine = pc.utf8_rpad(pc.utf8_slice_codeunits(part, 0, 9), 9, "0")
    billionths = nine.cast(pa.int64()).to_numpy()
    negative = pc.equal(sign, "-").to_numpy(False)
    below = negative & (billionths > 0)
    wholes = np.where(negative, -wholes, wholes) - below
    return wholes, np.where(below, BILLION - billionths, billionths)


def _too_large(cells: Cells, at: int) -> Exception:
    return cells.wrong(at, "is too large for a time; correct it")
