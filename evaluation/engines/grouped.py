"""The engine of Spark for logs that no executor holds: a task gets the histories that its items need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.evaluation.engines.engine import Result
from retrieval_leaderboard.evaluation.engines.histories import Histories, cuts_of, for_kernels
from retrieval_leaderboard.evaluation.engines.spark import SCHEMA, Shelf, SparkEngine
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage.scratch import scratch_folder

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = ", item-to-item fits grouped"
"""After the name of Spark; boards have it for rows of models without such a fit too"""


class GroupedEngine(SparkEngine):
    """As `SparkEngine`, but fits of items' neighbors shuffle histories in place of sharing the log."""

    @property
    def name(self) -> str:
        """As `Engine.name`."""
        return super().name + NAMED

    def map_histories(
        self,
        kernel: Callable[[Any, int, int], Result],
        histories: Histories,
        beside: tuple[Any, ...],
        activity: npt.NDArray[np.float64],
        label: str,
    ) -> Iterator[Result]:
        """Call `kernel((*part, *beside), first, last)` for blocks of items, all that users took among them.

        Args:
            kernel: as of `Engine.map`; what it gives for an item depends on the users of that item alone.
            histories: of all users. They go to the folder of the cache, which all executors see.
            beside: what all blocks read, such as arrays of items.
            activity: as of `cuts_of`.
            label: what the progress bar says.

        Yields:
            What `kernel` returned, in the order of the blocks. Its `part` is what `for_kernels` gives.

        Raises:
            InputError: as `SparkEngine.map`.
        """
        from pyspark.sql import functions as F

        cuts = cuts_of(activity, self.tasks)
        n_blocks, n_items = len(cuts) - 1, len(activity)
        shelf = self._shelf((kernel, beside, cuts))
        with scratch_folder(cache_dir().resolve()) as folder:
            histories.write(folder / "histories", cuts)
            users = self._session.read.schema(histories.schema).parquet((folder / "histories").as_uri())
            rows = users.withColumn("block", F.explode("blocks")).drop("blocks")
            # Without the number of partitions Spark would put many blocks into one task.
            parts = rows.repartition(n_blocks, "block").groupBy("block")
            # Spark would read hints of types, and does not know all of ours.
            frame = parts.applyInArrow(lambda table: _block(table, shelf), SCHEMA)
            with progress.bar(label, n_items, "items") as advance:
                yield from self._results(frame, shelf, n_items, label, advance)


def _block(table: pa.Table, shelf: Shelf) -> pa.Table:
    """On a worker: number and result of the block whose histories are in `table`."""
    import pyarrow as pa

    kernel, beside, cuts = shelf.opened()
    block = table["block"][0].as_py()
    first, last = int(cuts[block]), int(cuts[block + 1])
    result = kernel((*for_kernels(table, first, last, int(cuts[-1])), *beside), first, last)
    return pa.table(shelf.answer(block, result))
