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
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage.files import atomic_file

FOLDER = "queries"
ABOUT = b"row"
"""Key of the file's metadata: a JSON object of fingerprint, k and the runs with their means"""
ROUNDING = 1e-9
"""By how much a mean of stored values may differ from that of the record, relatively"""
ZSTD_LEVEL = 19

PerQuery = dict[str, npt.NDArray[np.float16]]
"""metric → float16[q], NaN for a query without relevant items"""


def path(row: Row) -> Path:
    """Where the metrics of its queries are, or would be."""
    return row.folder / FOLDER / f"{row.newest.row_stem}.parquet"


def keep(row: Row) -> None:
    """Write the file of a row from the lists of its runs, unless it is up to date or some have no lists."""
    lists = [row.folder / "runs" / record.stem / records.LISTS for record in row.done]
    if not lists or not all(each.is_file() for each in lists):
        return
    known = _about(path(row))
    if known is not None and not _stale(known, row) and _columns(known) >= _shown():
        return
    values = dict(_means(row, lists))
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
    except (OSError, ValueError) as error:
        progress.warn_once(f"{file} is left out: it is damaged: {error}")
        return None
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _shown() -> set[str]:
    return {name for name, metric in PER_QUERY.items() if metric.on_board}


def _columns(known: dict[str, Any]) -> set[str]:
    return set.intersection(*(set(means) for means in known["runs"].values()))


def _means(row: Row, lists: list[Path]) -> Iterator[tuple[str, npt.NDArray[np.float16]]]:
    """Each metric of boards over the runs, where their lists have it as their records do.

    Records may have been scored anew by another definition since.
    """
    for name in PER_QUERY:
        if name not in _shown():
            continue
        total, agreed = np.zeros(1), True
        for record, file in zip(row.done, lists, strict=True):
            with np.load(file) as stored:
                values = stored[name] if name in stored else np.full(1, np.nan)
            mean = np.nanmean(values) if name in record.measured.metrics and len(values) > 1 else np.nan
            agreed &= bool(np.isclose(mean, record.measured.metrics.get(name, 0.0), ROUNDING, 0.0))
            total = total + values / len(row.done)
        if agreed:
            yield name, total.astype(np.float16)


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
    table = table.replace_schema_metadata({ABOUT: json.dumps(said).encode()})
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
        return {**json.loads(found.metadata[ABOUT]), "queries": found.num_rows}
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
