"""Times that come some rows at a time, and must end as if all came at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.own import reader
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import parse, unix_times
from retrieval_leaderboard.datasets.times.unix_times import NAMED, ORDER, PLAUSIBLE, UNITS, Times


class Clock:
    """Reads a column of times; the first rows say in which form all are."""

    def __init__(self, spec: DataSpec) -> None:
        self._spec = spec
        self._form = ""
        """How the first rows gave their times, in words"""
        self._unit = ""
        """One of `UNITS`, where they are numbers whose unit was found"""
        self._early = self._late = 0
        self._latest = -(2**63)

    def read(self, cells: Cells) -> Times:
        """The moments of the next rows.

        Raises:
            InputError: as `reader.times`, or they are given otherwise than those before.
        """
        if not self._form:
            times = reader.times(cells, self._spec)
            self._form = times.unit
            self._unit = "" if self._spec.time_format else _unit(cells, times)
        elif self._unit:
            times = reader.times(cells, replace(self._spec, time_format=self._unit))
            self._check_unit(cells, times)
            if times.seconds.max(initial=self._latest) < PLAUSIBLE[0]:
                unix_times.refuse_leading_zeros(cells)
        else:
            times = reader.times(cells, self._spec)
            self._check_form(cells, times)
        self._early += int((times.seconds < PLAUSIBLE[0]).sum())
        self._late += int((times.seconds > PLAUSIBLE[1]).sum())
        self._latest = int(times.seconds.max(initial=self._latest))
        return times

    @property
    def form(self) -> str:
        """How all times were given, in words."""
        if not self._unit:
            return self._form
        return f"{NAMED[self._unit]} since 1970" if self._latest >= PLAUSIBLE[0] else ORDER

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of a table should know of them."""
        return parse.implausible(self._early, self._late, self._spec.time_format, self.form)

    def _check_unit(self, cells: Cells, times: Times) -> None:
        per_second = UNITS[self._unit]
        sizes = np.abs(times.seconds * per_second + times.nanoseconds // (unix_times.BILLION // per_second))
        bands = sorted(unix_times.FIRST_OF_UNIT.values())
        usual = sorted(UNITS, key=UNITS.__getitem__).index(self._unit)
        wrong = (sizes > 0) & (np.searchsorted(bands, sizes, side="right") != usual)
        if wrong.any():
            at = int(np.argmax(wrong))
            other = NAMED[unix_times.unit_of(int(sizes[at]))]
            raise cells.wrong(
                at,
                f"is in {other} by its size, and rows before are in {NAMED[self._unit]}; write all in one "
                "unit, or say which by --time-format s, ms, us or ns",
            )

    def _check_form(self, cells: Cells, times: Times) -> None:
        if times.unit != self._form and not self._spec.time_format:
            raise cells.error(
                0, f"column '{cells.column}' holds {times.unit}, and above {self._form}; give all in one form"
            )


def _unit(cells: Cells, times: Times) -> str:
    """The unit of numbers; "" for dates."""
    if times.unit != ORDER and not times.unit.endswith("since 1970"):
        return ""
    counted = np.flatnonzero((times.seconds != 0) | (times.nanoseconds != 0))
    if not len(counted):
        return "s"
    some = np.zeros(len(cells), dtype=np.bool_)
    some[counted[0]] = True
    wholes, _ = unix_times.exact(cells.take(some))
    return unix_times.unit_of(int(wholes[0]))
