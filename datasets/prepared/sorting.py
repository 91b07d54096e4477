"""The rows of a source coded and sorted by user within a limit of memory: DuckDB, which spills to disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.chunks import RawIds as RawColumn
from retrieval_leaderboard.datasets.ids import TextIds
from retrieval_leaderboard.datasets.log import COLUMNS, LATEST
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.support.errors import InputError, need
from retrieval_leaderboard.support.storage.mapped import GrowingFolder, growing
from retrieval_leaderboard.support.system import cores

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHARE = 0.5
"""Of the limit that is DuckDB's; the rest is for what reads the source and takes the rows, and for Python"""
SMALLEST = 2**28
"""Bytes below which no limit is kept"""
TOGETHER, AT_ONCE = 2**19, 2**18
"""Rows that DuckDB takes in at least, and gives back at most, at a time: a call has its cost"""
KINDS = ("user", "item")
TYPES = {
    "timestamp": "BIGINT",
    "nanoseconds": "INTEGER",
    "rating": "FLOAT",
    "weight": "FLOAT",
    "target": "BOOLEAN",
    "part": "UTINYINT",
    "event": "UTINYINT",
}
"""column of a `Chunk` → its type"""


@dataclass(frozen=True)
class Sorted:
    """What sorting came to."""

    rows: int
    timed: bool
    """Whether the rows have times"""
    spilled: int
    """Bytes that lay on disk at once, beside the result"""


def sort(source: ChunkedLog, folder: Path, memory: int, phases: Phases) -> Sorted:
    """Write the rows of `source` by user to `folder`: an array a column, and the ids of users and items.

    Rows of a user stand by time, by item where the source has lost the order, and then as in the source.
    Codes follow the order of the ids, as in `ChunkedLog.log`.

    Args:
        source: what is to be read.
        folder: for the arrays; it must lie on a disk.
        memory: bytes, of which DuckDB gets `SHARE`.
        phases: is told how long each takes.

    Raises:
        InputError: DuckDB is not installed, `memory` is too little, the source has no row, times that do not
            fit, or what reading a chunk raises.
    """
    need(["duckdb"], "requirements-big.lock")
    if memory < SMALLEST:
        raise InputError(f"--memory: {memory >> 20} MiB are too few; give at least {SMALLEST >> 20} MiB")
    scratch = folder / "scratch"
    scratch.mkdir()
    with _refusals(source.name, memory), closing(_connect(scratch, memory)) as database:
        with phases("reading"):
            rows, columns = _insert(database, source)
        with phases("coding ids"):
            n_users = _code(database, "user", None, folder)
            _code(database, "item", source.listed_items, folder)
        with phases("sorting"):
            spilled = _write_sorted(database, folder, scratch, source.ordered, columns, (rows, n_users))
    shutil.rmtree(scratch)
    return Sorted(rows, "timestamp" in columns, spilled)


def _connect(scratch: Path, memory: int) -> duckdb.DuckDBPyConnection:
    import duckdb

    spill = scratch / "spill"
    spill.mkdir()
    return duckdb.connect(
        scratch / "rows.duckdb",
        config={
            "memory_limit": f"{int(memory * SHARE) >> 20}MiB",
            "temp_directory": str(spill),
            "preserve_insertion_order": "false",
            "threads": str(cores.available()),
        },
    )


@contextmanager
def _refusals(name: str, memory: int) -> Iterator[None]:
    """Within, DuckDB's lack of memory is an InputError."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise InputError(
            f"{name}: --memory {memory >> 20}MiB is too little to sort its rows; give more"
        ) from error


def _insert(database: duckdb.DuckDBPyConnection, source: ChunkedLog) -> tuple[int, list[str]]:
    """Take in all rows; how many there are, and which columns they have beside user and item."""
    rows, columns, latest, fractions = 0, None, 0, False
    waiting: list[pa.Table] = []
    for chunk in source.chunks():
        if columns is None:
            columns = [name for name in COLUMNS if getattr(chunk, name) is not None]
            _create(database, chunk, columns)
        if chunk.nanoseconds is not None and chunk.timestamp is not None:
            latest = max(latest, int(np.abs(chunk.timestamp).max(initial=0)))
            fractions |= bool(chunk.nanoseconds.any())
        waiting.append(_arrow(chunk, columns, rows))
        rows += len(chunk)
        if sum(map(len, waiting)) >= TOGETHER:
            _append(database, waiting)
    if columns is None or not rows:
        raise InputError(f"{source.name}: there is no interaction in its files; get them again")
    _append(database, waiting)
    if fractions and latest >= LATEST:
        raise InputError(
            f"{source.name}: its times have fractions and lie beyond the year 2262, which a limit of memory "
            "does not allow; correct them, or leave --memory out"
        )
    return rows, [name for name in columns if fractions or name != "nanoseconds"]


def _append(database: duckdb.DuckDBPyConnection, waiting: list[pa.Table]) -> None:
    """Take in the rows of tables that wait, which then do not."""
    import pyarrow as pa

    database.register("waiting", pa.concat_tables(waiting))
    database.execute("INSERT INTO log SELECT * FROM waiting")
    database.unregister("waiting")
    waiting.clear()


def _create(database: duckdb.DuckDBPyConnection, chunk: Chunk, columns: list[str]) -> None:
    typed = [f'"{kind}" {_id_type(getattr(chunk, kind))}' for kind in KINDS]
    typed += [f'"{name}" {TYPES[name]}' for name in columns]
    database.execute(f'CREATE TABLE log ({", ".join(typed)}, "row" BIGINT)')


def _id_type(ids: RawColumn) -> str:
    return "BIGINT" if isinstance(ids, np.ndarray) else "VARCHAR"


def _arrow(chunk: Chunk, columns: list[str], first: int) -> pa.Table:
    import pyarrow as pa

    given: dict[str, Any] = {name: getattr(chunk, name) for name in (*KINDS, *columns)}
    return pa.table(given | {"row": np.arange(first, first + len(chunk))})


def _code(database: duckdb.DuckDBPyConnection, kind: str, listed: RawColumn | None, folder: Path) -> int:
    """Number the distinct ids of users or items in their order, and write them to `folder`; how many."""
    ids = f'SELECT DISTINCT "{kind}" AS id, FALSE AS listed FROM log'
    if listed is not None:
        import pyarrow as pa

        database.register("listed", pa.table({"id": listed}))
        ids += " UNION ALL SELECT DISTINCT id, TRUE FROM listed"
    database.execute(
        f'CREATE TABLE "{kind}s" AS SELECT id, listed, CAST(row_number() OVER (ORDER BY id) - 1 AS INTEGER) '
        f"AS code FROM (SELECT id, bool_or(listed) AS listed FROM ({ids}) GROUP BY id)"
    )
    n = 0
    with growing(folder) as arrays:
        query = f'SELECT id, listed FROM "{kind}s" ORDER BY code'
        for batch in database.sql(query).to_arrow_reader(AT_ONCE):
            _append_ids(arrays, f"{kind}_ids", batch.column(0), first=not n)
            if listed is not None:
                arrays.append("listed", batch.column(1).to_numpy(zero_copy_only=False))
            n += len(batch)
    return n


def _append_ids(arrays: GrowingFolder, name: str, ids: pa.Array, first: bool) -> None:
    """Write ids as `CompactIds.save` does, batch by batch."""
    import pyarrow as pa

    if pa.types.is_integer(ids.type):
        arrays.append(f"{name}", ids.to_numpy())
        return
    text = TextIds.of(ids)
    content = text.content[int(text.offsets[0]) : int(text.offsets[-1])]
    before = arrays.append(f"{name}.text", content)
    arrays.append(f"{name}.offsets", text.offsets[0 if first else 1 :] - text.offsets[0] + before)


def _write_sorted(
    database: duckdb.DuckDBPyConnection,
    folder: Path,
    scratch: Path,
    ordered: bool,
    columns: list[str],
    size: tuple[int, int],
) -> int:
    """Write the sorted rows; the bytes in `scratch` at most."""
    rows, n_users = size
    taken = "".join(f', log."{name}"' for name in columns)
    by_time = [name for name in ("timestamp", "nanoseconds") if name in columns]
    within = [*by_time, *([] if ordered else ["item"])]
    order = ", ".join(f'"{name}"' for name in ("user", *within, "row"))
    query = (
        f'SELECT * FROM (SELECT users.code AS "user", items.code AS "item"{taken}, '
        f'CAST(log."row" AS {"INTEGER" if rows < 2**31 else "BIGINT"}) AS "row" '
        'FROM log JOIN users ON users.id = log."user" JOIN items ON items.id = log."item") '
        f"ORDER BY {order}"
    )
    lengths, written, spilled = np.zeros(n_users, dtype=np.int64), 0, 0
    with growing(folder) as arrays:
        for batch in database.sql(query).to_arrow_reader(AT_ONCE):
            spilled = max(spilled, _size(scratch))
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                arrays.append(name, column.to_numpy(zero_copy_only=False))
            user = batch.column(0).to_numpy()
            low = int(user[0])
            lengths[low : int(user[-1]) + 1] += np.bincount(user - low)
            written += len(batch)
    if written != rows:
        raise RuntimeError(f"{written} of {rows} rows were written")
    np.save(folder / "offsets.npy", offsets_of(lengths))
    return spilled


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
