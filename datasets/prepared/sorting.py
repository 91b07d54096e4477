"""The rows of a source coded and sorted by user within a limit of memory: DuckDB, which spills to disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.chunks import ChunkedLog, RawColumn
from retrieval_leaderboard.datasets.prepared import limit
from retrieval_leaderboard.datasets.prepared.intake import KINDS, Intake
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.prepared.sorted_rows import Sorted, bytes_of, write_ids, write_rows
from retrieval_leaderboard.support.errors import InputError, need
from retrieval_leaderboard.support.system import cores

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHARE = 0.5
"""Of the limit that is DuckDB's; the rest is for what reads the source and takes the rows, and for Python"""
SMALLEST = 2**28
"""Bytes below which no limit is kept"""
AT_ONCE = 2**18
"""Rows that DuckDB gives back at most at a time: a call has its cost"""
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
        raise InputError(f"--memory {limit.size(memory)} is too little; give at least {limit.size(SMALLEST)}")
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
    return Sorted(rows, "timestamp" in columns, spilled, memory)


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
            f"{name}: --memory {limit.size(memory)} is too little to sort its rows; give more"
        ) from error


def _insert(database: duckdb.DuckDBPyConnection, source: ChunkedLog) -> tuple[int, list[str]]:
    """Take in all rows; how many there are, and which columns they have beside user and item."""
    intake = Intake(source)
    for number, table in enumerate(intake.tables()):
        if not number:
            _create(database, table)
        database.register("waiting", table)
        database.execute("INSERT INTO log SELECT * FROM waiting")
        database.unregister("waiting")
    return intake.rows, intake.columns


def _create(database: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
    import pyarrow as pa

    ids = {
        kind: "BIGINT" if pa.types.is_integer(table.schema.field(kind).type) else "VARCHAR" for kind in KINDS
    }
    types = ids | TYPES | {"row": "BIGINT"}
    columns = ", ".join(f'"{name}" {types[name]}' for name in table.schema.names)
    database.execute(f"CREATE TABLE log ({columns})")


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
    columns = "id" if listed is None else "id, listed"
    query = f'SELECT {columns} FROM "{kind}s" ORDER BY code'
    return write_ids(database.sql(query).to_arrow_reader(AT_ONCE), folder, kind)


def _write_sorted(
    database: duckdb.DuckDBPyConnection,
    folder: Path,
    scratch: Path,
    ordered: bool,
    columns: list[str],
    size: tuple[int, int],
) -> int:
    """Write the sorted rows; the bytes in `scratch` at most."""
    rows, _ = size
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
    spilled = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal spilled
        for batch in database.sql(query).to_arrow_reader(AT_ONCE):
            spilled = max(spilled, bytes_of(scratch))
            yield batch

    write_rows(batches(), folder, size)
    return spilled
