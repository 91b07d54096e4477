"""Lists of very many queries, written to Parquet as they are made: memory holds those of one block."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import forecast, topk
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage.files import atomic_file

BLOCK = 2**13
"""Queries that are ranked and written together"""


def write_lists(
    path: Path, queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32], exclude: Ragged, k: int
) -> None:
    """Rank all items for each query as `topk.inner_product`, and write a row a query to a Parquet file.

    Its columns are item, a list of `k` int32, best first, -1 for an empty position, and score, a list of `k`
    float32. All arguments may be maps of files.

    Args:
        path: of the file, written whole or not at all.
        queries: float32[q, d].
        items: float32[n, d].
        exclude: q rows of items not to return.
        k: length of a list.

    Raises:
        ValueError: as `topk.inner_product`.
        UnwritableError: there is no room, or no right, to write `path`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([("item", pa.list_(pa.int32(), k)), ("score", pa.list_(pa.float32(), k))])
    said = topk.amount(queries, items)
    begun = time.perf_counter()
    with (
        atomic_file(path) as scratch,
        parquet.ParquetWriter(scratch, schema) as file,
        progress.bar("ranking", len(queries), "queries") as advance,
    ):
        for start in range(0, len(queries), BLOCK):
            rows = slice(start, start + BLOCK)
            found = topk.inner_product(queries[rows], items, exclude.take(rows), k)
            lists = [pa.FixedSizeListArray.from_arrays(pa.array(each.ravel()), k) for each in found]
            file.write_table(pa.table(lists, schema=schema))
            if start == 0:
                of_all = (time.perf_counter() - begun) * len(queries) / min(BLOCK, len(queries))
                forecast.say_ranking(of_all, said)
            advance(len(lists[0]))
