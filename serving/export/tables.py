"""The tables of an export, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.ids import RawIds
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever, ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.serving.export import queries
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import blocks

if TYPE_CHECKING:
    import pyarrow as pa

VECTORS_A_BLOCK = 2**14
NEIGHBORS_A_BLOCK = 2**20


@dataclass(frozen=True)
class Table:
    """What a Parquet file will hold."""

    schema: pa.Schema
    about: dict[str, str]
    """Column → what it is"""
    parts: Iterator[dict[str, Any]]
    """Column → values of some rows"""

    def write(self, path: Path) -> int:
        """Write all rows to the file `path`, compressed by zstd; how many there were."""
        import pyarrow as pa
        from pyarrow import parquet

        rows = 0
        with parquet.ParquetWriter(path, self.schema, compression="zstd", write_page_checksum=True) as file:
            for part in self.parts:
                table = pa.table(part, schema=self.schema)
                file.write_table(table)
                rows += len(table)
        return rows

    def described(self) -> dict[str, dict[str, str]]:
        """Column → its type and what it is."""
        return {
            field.name: {"type": str(field.type), "about": self.about[field.name]} for field in self.schema
        }


def item_vectors(model: EmbeddingRetriever, dataset: Dataset) -> Table:
    """A row an item of the catalog: item_id, vector."""
    vectors = np.asarray(model.encode_items(), dtype=np.float32)

    def parts() -> Iterator[dict[str, Any]]:
        for rows in blocks(len(vectors), VECTORS_A_BLOCK):
            yield {"item_id": _text(dataset.item_ids[rows]), "vector": _fixed(vectors[rows])}

    return _of_vectors("item_id", vectors.shape[1], parts())


def codes(name: str, ids: RawIds) -> Table:
    """A row an id: the column `name`, and its code, by which the towers know it."""
    import pyarrow as pa

    def parts() -> Iterator[dict[str, Any]]:
        for rows in blocks(len(ids), VECTORS_A_BLOCK):
            some = _text(ids[rows])
            yield {name: some, "code": np.arange(rows.start, rows.start + len(some))}

    schema = pa.schema([(name, pa.string()), ("code", pa.int64())])
    return Table(schema, {name: "raw id", "code": "what a tower takes for it"}, parts())


def user_vectors(model: EmbeddingRetriever, dataset: Dataset) -> Table:
    """A row a user: user_id, vector; of the same queries as `top_lists`."""

    def parts() -> Iterator[dict[str, Any]]:
        for asked in queries.blocks(dataset):
            vectors = np.asarray(model.encode_queries(asked), dtype=np.float32)
            yield {"user_id": _text(dataset.user_ids[asked.user]), "vector": _fixed(vectors)}

    return _of_vectors("user_id", model.encode_items().shape[1], parts())


def neighbors(model: ItemToItemRetriever, dataset: Dataset) -> Table:
    """A row a neighbor of an item: item_id, neighbor_id, rank, score; ties by `ties.rank`."""
    import pyarrow as pa

    similarity, ids = model.similarity_, _text(dataset.item_ids)
    kept = Ragged.from_offsets(similarity.indices, similarity.indptr.astype(np.int64))

    def parts() -> Iterator[dict[str, Any]]:
        for rows in kept.cuts(NEIGHBORS_A_BLOCK):
            some = kept.take(rows)
            found = similarity.data[some.start[0] : some.stop[-1]]
            item, neighbor, score = _best_first(some.rows() + rows.start, some.compact()[0], found)
            yield {"item_id": ids.take(pa.array(item)), "neighbor_id": ids.take(pa.array(neighbor)),
                   "rank": _rank(item), "score": score}  # fmt: skip

    about = {
        "item_id": "raw id of an item of a history",
        "neighbor_id": "raw id of an item that it speaks for",
        "rank": "from 1, the largest score first",
        "score": "what the item adds to the neighbor's score; 0 is left out",
    }
    return Table(_schema(item_id=pa.string(), neighbor_id=pa.string()), about, parts())


def top_lists(model: Retriever, dataset: Dataset, k: int) -> Table:
    """A row a place of a user's list of at most `k` items: user_id, item_id, rank, score."""
    import pyarrow as pa

    ids, n_items = _text(dataset.item_ids), dataset.train_valid.n_items

    def parts() -> Iterator[dict[str, Any]]:
        with progress.bar("ranking", len(dataset.user_ids), "users") as advance:
            for asked in queries.blocks(dataset):
                items, scores = model.recommend(asked, k)
                try:
                    lists.check(items, scores, asked, k, n_items)
                except lists.InvalidListsError as error:
                    raise InputError(f"the lists of {model.name} cannot be written: {error}") from error
                query, place = np.nonzero(items >= 0)
                users = _text(dataset.user_ids[asked.user])
                yield {"user_id": users.take(pa.array(query)),
                       "item_id": ids.take(pa.array(items[query, place])),
                       "rank": (place + 1).astype(np.int32), "score": scores[query, place]}  # fmt: skip
                advance(len(asked))

    about = {
        "user_id": "raw id",
        "item_id": "raw id",
        "rank": "from 1, best first",
        "score": "the model's own, to be compared within a list",
    }
    return Table(_schema(user_id=pa.string(), item_id=pa.string()), about, parts())


def _of_vectors(name: str, dimension: int, parts: Iterator[dict[str, Any]]) -> Table:
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()), ("vector", pa.list_(pa.float32(), dimension))])
    about = {name: "raw id", "vector": "a user's and an item's inner product is the score"}
    return Table(schema, about, parts)


def _schema(**ids: Any) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([*ids.items(), ("rank", pa.int32()), ("score", pa.float32())])


def _text(ids: RawIds) -> pa.Array:
    import pyarrow as pa

    return pa.array(ids, pa.string())


def _fixed(vectors: npt.NDArray[np.float32]) -> pa.Array:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def _best_first(
    item: npt.NDArray[np.int64], neighbor: npt.NDArray[np.int32], score: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The entries that are not 0, by item and then score."""
    there = np.flatnonzero(score)
    item, neighbor, score = item[there], neighbor[there], score[there]
    order = np.lexsort((ties.rank(neighbor.astype(np.int64)), -score, item))
    return item[order], neighbor[order], score[order]


def _rank(item: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """int32[n]: the place of each entry among those of its item, from 1; `item` is ascending."""
    lengths = np.unique(item, return_counts=True)[1]
    return (np.arange(len(item)) - np.repeat(offsets_of(lengths)[:-1], lengths) + 1).astype(np.int32)
