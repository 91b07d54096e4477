"""The rows of a source coded and sorted by user on Spark, to the same arrays that DuckDB writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.chunks import ChunkedLog, RawColumn
from retrieval_leaderboard.datasets.prepared.intake import KINDS, Intake
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.prepared.sorted_rows import Sorted, bytes_of, write_ids, write_rows
from retrieval_leaderboard.support import spark

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

BUCKET_ROWS = 2**22
"""Rows of a bucket of users about: what a task sorts at once"""
AT_ONCE = 2**18
"""Rows of Parquet that are taken at a time"""


def sort(source: ChunkedLog, folder: Path, memory: int, phases: Phases) -> Sorted:
    """As `prepared.sorting.sort`, on the session of `spark.session`, which keeps to Spark's own limits.

    The driver reads the source chunk by chunk and writes them as Parquet; from there on ids and rows go from
    file to file. `folder` must be one that all executors see.

    Raises:
        InputError: as `spark.session`, the source has no row, times that do not fit, or what reading a chunk
            raises.
    """
    scratch = folder / "scratch"
    scratch.mkdir()
    with spark.using() as session:
        with phases("reading"):
            rows, columns = _write_source(source, scratch / "source")
        log = _read(session, scratch / "source")
        with phases("coding ids"):
            n_users = _code(log, "user", None, folder)
            _code(log, "item", source.listed_items, folder)
        with phases("sorting"):
            _write_buckets(log, scratch, source.ordered, columns, (rows, n_users))
            write_rows(_in_order(scratch / "sorted"), folder, (rows, n_users))
    spilled = bytes_of(scratch)
    shutil.rmtree(scratch)
    return Sorted(rows, "timestamp" in columns, spilled)


def _write_source(source: ChunkedLog, folder: Path) -> tuple[int, list[str]]:
    """Write all rows as Parquet; how many there are, and their columns beside user and item."""
    import pyarrow.parquet as pq

    folder.mkdir()
    intake = Intake(source)
    for number, table in enumerate(intake.tables()):
        pq.write_table(table, folder / f"{number:06}.parquet")
    return intake.rows, intake.columns


def _read(session: SparkSession, path: Path) -> DataFrame:
    return session.read.parquet(path.resolve().as_uri())


def _code(log: DataFrame, kind: str, listed: RawColumn | None, folder: Path) -> int:
    """Number the distinct ids of users or items in their order, and write them to `folder`; how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyspark.sql import functions as F

    scratch = folder / "scratch"
    ids = log.select(F.col(kind).alias("id")).distinct()
    if listed is not None:
        pq.write_table(pa.table({"id": listed}), scratch / "listed.parquet")
        others = _read(log.sparkSession, scratch / "listed.parquet").withColumn("listed", F.lit(True))
        both = ids.withColumn("listed", F.lit(False)).unionByName(others)
        ids = both.groupBy("id").agg(F.max("listed").alias("listed"))
    # Sorted, Spark writes its partitions to files whose names have the same order.
    ids.orderBy("id").write.parquet((scratch / f"{kind}_ids").as_uri())
    return write_ids(_numbered(scratch / f"{kind}_ids", scratch / f"{kind}_codes"), folder, kind)


def _numbered(ids: Path, codes: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a folder of ids, after each was written with its codes to another one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    codes.mkdir()
    n = 0
    for number, batch in enumerate(_batches(sorted(ids.glob("*.parquet")))):
        code = np.arange(n, n + len(batch), dtype=np.int32)
        table = pa.table({"id": batch.column("id"), "code": code})
        pq.write_table(table, codes / f"{number:06}.parquet")
        n += len(batch)
        yield batch


def _write_buckets(
    log: DataFrame, scratch: Path, ordered: bool, columns: list[str], size: tuple[int, int]
) -> None:
    """Write the coded rows, sorted, to a folder for each bucket of users."""
    from pyspark.sql import functions as F

    rows, n_users = size
    n_buckets = min(n_users, max(-(-rows // BUCKET_ROWS), log.sparkSession.sparkContext.defaultParallelism))
    coded = log.withColumnsRenamed({kind: f"{kind}_id" for kind in KINDS})
    for kind in KINDS:
        codes = _read(log.sparkSession, scratch / f"{kind}_codes")
        codes = codes.withColumnsRenamed({"id": f"{kind}_id", "code": kind})
        coded = coded.join(codes, f"{kind}_id")
    times = [name for name in ("timestamp", "nanoseconds") if name in columns]
    within = [*times, *([] if ordered else ["item"])]
    place = F.col("row").cast("int" if rows < 2**31 else "long").alias("row")
    bucket = F.expr(f"CAST(user DIV {-(-n_users // n_buckets)} AS INT)").alias("bucket")
    # The bucket leads the sort: else Spark sorts by it while it writes, and the order within is lost.
    (
        coded.select(bucket, *KINDS, *columns, place)
        .repartition(n_buckets, "bucket")
        .sortWithinPartitions("bucket", "user", *within, "row")
        .write.partitionBy("bucket")
        .parquet((scratch / "sorted").as_uri())
    )


def _in_order(folder: Path) -> Iterator[pa.RecordBatch]:
    """The rows of all buckets, each of which is one file."""
    buckets = sorted(folder.glob("bucket=*"), key=lambda path: int(path.name.partition("=")[2]))
    return _batches(file for bucket in buckets for file in sorted(bucket.glob("*.parquet")))


def _batches(files: Iterable[Path]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for path in files:
        parquet: Any = pq.ParquetFile(path)
        yield from (batch for batch in parquet.iter_batches(AT_ONCE) if len(batch))
