"""What readers of raw files share: where a file is, what of it was left out, and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, find_raw_file, find_unpacked
from retrieval_leaderboard.datasets.log import Reading
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]


def find(folder: Path, name: str) -> RawFile | None:
    """The file `name` in `folder` or a folder below it: plain, else .gz, else in a .zip.

    Raises:
        InputError: two folders have it unpacked, or a zip archive that had to be looked into is damaged.
    """
    folders = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    found = list(filter(None, (find_unpacked(each, name) for each in folders)))
    if len(found) > 1:
        raise InputError(f"{found[0]} and {found[1]} are two files of one name; leave one")
    return next(filter(None, found or (find_raw_file(each, name) for each in folders)), None)


def need(folder: Path, name: str) -> RawFile:
    """As `find`.

    Raises:
        InputError: there is no such file.
    """
    found = find(folder, name)
    if found is None:
        raise InputError(f"{folder} has no {name}; get it, and put it there")
    return found


def holds(*names: str) -> Callable[[Path], bool]:
    """Whether a folder has all files of these names, as `find` finds them."""
    return lambda folder: all(find(folder, name) for name in names)


def holds_here(*names: str) -> Callable[[Path], bool]:
    """Whether a folder itself has all files of these names, as they are."""
    return lambda folder: all((folder / name).is_file() for name in names)


def numbers(batch: pa.RecordBatch, name: str) -> Integers:
    """A column without nulls, int64[n]."""
    values: Integers = batch.column(name).to_numpy()
    return values


def texts(batch: pa.RecordBatch, name: str, file: RawFile, before: int) -> pa.Array:
    """A column without nulls, such as one of texts.

    Args:
        batch: rows of a file.
        name: of the column.
        file: they are read from.
        before: rows of the file that were read before them.

    Raises:
        InputError: one is missing (file and row).
    """
    values = batch.column(name)
    if values.null_count:
        at = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
        raise InputError(f"{file}, row {before + at + 1}: '{name}' is missing; get the file again")
    return values


@dataclass
class Tally:
    """Rows of a source as they are read, chunk by chunk."""

    times: str = ""
    """As `Reading.times`"""
    rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """As `Reading.notes`"""

    def restart(self) -> None:
        """Count from the beginning: before the first chunk."""
        self.rows, self.dropped, self.notes = 0, {}, ()

    def keep(self, kept: npt.NDArray[np.bool_], reason: str) -> npt.NDArray[np.int64]:
        """The rows of a chunk that are `kept`, bool[n]; the others are left out for a reason."""
        at = np.flatnonzero(kept)
        self.dropped[reason] = self.dropped.get(reason, 0) + len(kept) - len(at)
        return at

    def reading(self) -> Reading:
        """What was counted since the last restart."""
        dropped = {reason: count for reason, count in self.dropped.items() if count}
        return Reading(self.rows, {}, dropped=dropped, times=self.times, notes=self.notes)


def from_milliseconds(times: Integers) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Milliseconds since 1970 as seconds, int64[n], and the nanoseconds on top of them, int32[n]."""
    seconds, rest = np.divmod(times, 1000)
    return seconds, (rest * 1_000_000).astype(np.int32)


def from_text(times: pa.Array, form: str, file: RawFile, before: int) -> Integers:
    """Times written by a format of strptime, without a zone or by a Z in UTC, as unix seconds, int64[n].

    Args:
        times: n texts.
        form: their format.
        file: they are read from.
        before: rows of the file that were read before them.

    Raises:
        InputError: one of another format (file and row).
    """
    found, wrong = seconds(times, form)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise _no_time(file, before + at, times[at].as_py())
    return found


def seconds(times: pa.Array, form: str) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """As `from_text`, and which of the texts are no such time, bool[n]: their seconds mean nothing."""
    import pandas as pd

    dates = pd.to_datetime(pd.Series(times.to_pandas()), format=form, errors="coerce")
    return dates.to_numpy().astype("datetime64[s]").astype(np.int64), dates.isna().to_numpy()


def from_dates(dates: Integers, file: RawFile, row: Integers) -> Integers:
    """Days written yyyymmdd as the unix seconds at which they begin, int64[n].

    Args:
        dates: int64[n].
        file: they are read from.
        row: int64[n], of the file.

    Raises:
        InputError: there is no such day (file and row).
    """
    months = (dates // 10_000 - 1970) * 12 + dates // 100 % 100 - 1
    first = months.astype("datetime64[M]")
    days = first.astype("datetime64[D]") + (dates % 100 - 1)
    wrong = (dates // 100 % 100 - 1) // 12 != 0
    wrong |= days.astype("datetime64[M]") != first
    if wrong.any():
        at = int(np.argmax(wrong))
        raise _no_time(file, int(row[at]), dates[at])
    return days.astype("datetime64[s]").astype(np.int64)


def _no_time(file: RawFile, row: int, found: object) -> InputError:
    return InputError(f"{file}, row {row + 1}: {found!s:.40} is no time; get the file again")
