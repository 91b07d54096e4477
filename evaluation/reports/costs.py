"""What the rows of a board cost, on one machine with one number of threads: seconds of two do not compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import harmonic_mean, mean

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.runs import timings
from retrieval_leaderboard.evaluation.runs.record import Costs

FORMS = {
    "fit s": ("fit_seconds", "{:,.1f}"),
    "rank s": ("recommend_seconds", "{:,.2f}"),
    "queries/s": ("queries_per_second", "{:,.0f}"),
    "peak MiB": ("peak_rss_mib", "{:,.0f}"),
    "peak GPU MiB": ("peak_gpu_mib", "{:,.0f}"),
    "parameters": ("parameters", "{:,.0f}"),
}
"""Column → the field of `Costs` it shows, and how"""
NONE = "–"
BUSY = 0.25
"""Cores kept busy by other processes from which a page says so, of fits of a second or more"""
WHOLE = 100
"""From which on a figure has no decimals"""
UNKNOWN = "lists from elsewhere have none"
NOT_AGAIN = f"not measured yet with the others by `python -m {PREFIX}evaluation time`"
NEVER_AGAIN = (
    f"left out by `python -m {PREFIX}evaluation time`, which measures only official rows of a folder's own "
    "runs, of the suite's models"
)
ELSEWHERE = "measured on another machine, with another number of threads or processes, or by another engine"


@dataclass(frozen=True)
class RowCosts:
    """The costs of a row's runs on the board's machine; empty where it has none there."""

    measured: Sequence[Costs] = ()
    missing: str = ""
    """Why there are none, in a few words"""

    def mean(self, field: str) -> float | None:
        """Of a field of `Costs`; None where a run has not measured it."""
        values = [getattr(each, field) for each in self.measured]
        if not values or None in values:
            return None
        # Of as many queries each, so that it agrees with the mean of their seconds.
        return harmonic_mean(values) if field == "queries_per_second" else mean(values)

    def cell(self, column: str) -> str:
        """As a key of FORMS has it."""
        field, form = FORMS[column]
        value = self.mean(field)
        if value is None:
            return NONE
        return f"{value:,.0f}" if value >= WHOLE else form.format(value)

    @property
    def seconds(self) -> float | None:
        """To fit and to rank."""
        parts = self.mean("fit_seconds"), self.mean("recommend_seconds")
        return None if parts[0] is None or parts[1] is None else parts[0] + parts[1]

    @property
    def cores_elsewhere(self) -> float:
        """The most cores that other processes kept busy during a fit; 0 below BUSY."""
        most = max((each.cores_elsewhere for each in self.measured if each.fit_seconds >= 1), default=0.0)
        return most if most >= BUSY else 0.0


@dataclass(frozen=True)
class BoardCosts:
    """What was measured on one machine."""

    machine: str
    """The processor and threads; "" where no run finished"""
    runs: Mapping[tuple[Path, str], Costs]
    """Folder and stem of a run → what it took"""
    in_one_go: bool = False
    """Whether all of it was measured again"""

    def of(self, row: Row) -> RowCosts:
        """The costs of one row."""
        keys = ((row.folder, record.stem) for record in row.done)
        measured = [self.runs[key] for key in keys if key in self.runs]
        return RowCosts(measured, "" if measured else self._missing(row))

    def _missing(self, row: Row) -> str:
        if not any(record.costs.machine for record in row.done):
            return UNKNOWN
        if not self.in_one_go:
            return ELSEWHERE
        return NOT_AGAIN if timings.measures(row.newest) and not row.shipped else NEVER_AGAIN


def costs_of(rows: Sequence[Row]) -> BoardCosts:
    """What `python -m evaluation time` measured of `rows` in one go, else what runs on one machine took.

    Where rows of one's own have finished, both are theirs, not those of shipped rows.
    """
    runs = {(row.folder, record.stem): record.costs for row in rows for record in row.done}
    for folder in dict.fromkeys(row.folder for row in _counted(rows)):
        found = timings.read(folder)
        here = (record for row in rows if row.folder == folder for record in row.done)
        stems = [each.stem for each in here if found.knows(each)] if found else []
        if found and stems:
            again = {(folder, stem): found.costs[stem] for stem in stems}
            return BoardCosts(found.machine, again, in_one_go=True)
    machine = _machine(rows)
    return BoardCosts(
        machine, {key: each for key, each in runs.items() if machine and each.machine == machine}
    )


def without_seconds(costs: Iterable[RowCosts]) -> str:
    """Why rows with results have a dash for their seconds, in a sentence; "" where none has."""
    missing = dict.fromkeys(each.missing for each in costs if each.seconds is None)
    return f"{NONE} as seconds: {'; '.join(missing)}." if missing else ""


def _machine(rows: Sequence[Row]) -> str:
    """The machine on which most rows ran, official ones if there are several; of equals the newest's."""
    done = _counted(rows)
    official = [row for row in done if row.provenance.official]
    counted = official if len(official) > 1 else done
    newest: dict[str, str] = {}
    for record in (record for row in done for record in row.done):
        newest[record.costs.machine] = max(record.date, newest.get(record.costs.machine, ""))
    times = Counter(each for row in counted for each in {record.costs.machine for record in row.done})
    return max(filter(None, newest), key=lambda each: (times[each], newest[each]), default="")


def _counted(rows: Sequence[Row]) -> list[Row]:
    """The rows that have finished: those of one's own where there are some, else shipped ones."""
    done = [row for row in rows if row.done]
    return [row for row in done if not row.shipped] or done
