"""Each query's metrics of a row, mean over its seeds: `queries/<row>.parquet` beside the runs.

Lists are too large to ship. These files are not, and every interval and test can be derived from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation.metrics.measure import PER_QUERY
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.support.storage.files import atomic_file

FOLDER = "queries"
ABOUT = b"row"
"""Key of the file's metadata: sealed JSON of fingerprint, k, number of seeds, and runs with their means"""
ROUNDING = 1e-9
"""By how much a mean of stored values may differ from that of the record, relatively"""
HALF = 5e-4
"""By how much the mean of values in float16 may be off, relatively: half a unit of the last of 11 bits"""
TINY = 1e-6
"""By how much absolutely: the smallest numbers of float16 have fewer bits"""
ZSTD_LEVEL = 19

PerQuery = dict[str, npt.NDArray[np.float16]]
"""metric → float16[q], NaN for a query without relevant items"""


def path(row: Row) -> Path:
    """Where the metrics of its queries are, or would be."""
    return row.folder / FOLDER / f"{row.newest.row_stem}.parquet"


def keep(row: Row) -> None:
    """Write the file of a row from the lists of its runs, unless it is up to date or some have no lists."""
    runs = {row.folder / "runs" / record.stem: record for record in row.done}
    if not runs or not all((run / records.LISTS).is_file() for run in runs):
        return
    known = _about(path(row))
    if known is not None and not _stale(known, row) and _columns(known) >= _shown():
        return
    if not all(records.is_whole(run, record, records.LISTS) for run, record in runs.items()):
        return
    values = dict(_means(runs))
    if values:
        _write(row, values)


def read(row: Row) -> PerQuery | None:
    """The metrics of the row's queries; None without a file, or with one of other runs, which is named."""
    from pyarrow import parquet

    file = path(row)
    known = _about(file)
    if known is None:
        return None
    if reason := _stale(known, row):
        progress.warn_once(f"{file} is left out: {reason}; run the row again here, or remove the file")
        return None
    try:
        table = parquet.read_table(file, page_checksum_verification=True)
        found = {name: table.column(name).to_numpy() for name in table.column_names}
        _check(found, known)
    except (OSError, ValueError) as error:
        progress.warn_once(f"{file} is left out: it is damaged: {error}")
        return None
    return found


def _check(found: PerQuery, known: dict[str, Any]) -> None:
    """Refuse, as ValueError, values that are not what the file says of itself."""
    if found.keys() != _columns(known) or any(column.dtype != np.float16 for column in found.values()):
        raise ValueError(f"its columns are {', '.join(found)}")
    for name, column in found.items():
        said = np.mean([means[name] for means in known["runs"].values()])
        if not np.isclose(np.nanmean(column, dtype=np.float64), said, HALF, TINY):
            raise ValueError(f"the mean of {name} is not that of its runs")


def _shown() -> set[str]:
    return {name for name, metric in PER_QUERY.items() if metric.on_board}


def _columns(known: dict[str, Any]) -> set[str]:
    return set.intersection(*(set(means) for means in known["runs"].values()))


def _means(runs: dict[Path, RunRecord]) -> Iterator[tuple[str, npt.NDArray[np.float16]]]:
    """Each metric of boards over the runs, where all of them have it."""
    for name in PER_QUERY:
        if name in _shown():
            columns = [_column(run, record, name) for run, record in runs.items()]
            known = [column for column in columns if column is not None]
            if len(known) == len(columns):
                yield name, np.mean(known, axis=0).astype(np.float16)


def _column(run: Path, record: RunRecord, name: str) -> npt.NDArray[np.float64] | None:
    """A metric of a run's queries; None where its record has another mean, scored anew."""
    with np.load(run / records.LISTS) as stored:
        values: npt.NDArray[np.float64] | None = stored.get(name)
    mean = record.measured.metrics.get(name)
    if values is None or mean is None or not np.isclose(np.nanmean(values), mean, ROUNDING, 0.0):
        return None
    return values


def _write(row: Row, values: PerQuery) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    about = row.newest
    runs = {
        record.stem: {name: record.measured.metrics[name] for name in values}
        for record in sorted(row.done, key=lambda record: record.seed)
    }
    said = {"fingerprint": about.fingerprint, "k": about.k, "seeds": len(runs), "runs": runs}
    table = pa.table({name: pa.array(column) for name, column in values.items()})
    table = table.replace_schema_metadata({ABOUT: json.dumps(sealed.seal(said)).encode()})
    with atomic_file(path(row)) as scratch:
        # Measured on gowalla and ml-1m: plain values come out smaller than a dictionary or split bytes.
        parquet.write_table(
            table, scratch, compression="zstd", compression_level=ZSTD_LEVEL, use_dictionary=False,
            write_statistics=False, write_page_checksum=True, row_group_size=2**20,
        )  # fmt: skip


def _about(file: Path) -> dict[str, Any] | None:
    """What the file says of itself, and the number of its queries; None where it is absent, or damaged."""
    from pyarrow import parquet

    if not file.is_file():
        return None
    try:
        found = parquet.read_metadata(file)
        said = json.loads(found.metadata[ABOUT])
        if sealed.CHECKSUM not in said or not sealed.is_whole(said):
            raise ValueError("the checksum of what it says of itself does not hold")
        return said | {"queries": found.num_rows}
    except (OSError, ValueError, LookupError, TypeError) as error:
        progress.warn_once(f"{file} is left out: it is damaged: {error}")
        return None


def _stale(known: dict[str, Any], row: Row) -> str:
    """Why a file that says this of itself is not about the row as it is now; "" where it is."""
    now = row.newest
    if (known["fingerprint"], known["k"]) != (now.fingerprint, now.k):
        return "it is about other data or another k"
    if known["queries"] != now.dataset.test_queries:
        return f"it has {known['queries']:,} queries, the runs have {now.dataset.test_queries:,}"
    measured = {record.stem: record.measured.metrics for record in row.done}
    if known["runs"].keys() != measured.keys():
        return "it is about other runs than those of the row"
    for stem, means in known["runs"].items():
        if any(measured[stem].get(name) != value for name, value in means.items()):
            return f"the run {stem} has other results now"
    return ""
