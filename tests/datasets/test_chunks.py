"""Chunks of a source as one log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.support.errors import InputError


def numbers(users: list[int], items: list[int], times: list[int]) -> Chunk:
    return Chunk(np.array(users), np.array(items), np.array(times))


def test_whole_numbers_are_coded_by_size_whatever_chunk_they_stand_in():
    chunks = [numbers([10, 9], [5, 7], [1, 2]), numbers([100, 9], [7, -1], [3, 4])]
    log = ChunkedLog("any", lambda: iter(chunks)).log()
    assert log.user_ids.tolist() == ["9", "10", "100"]
    assert log.user.tolist() == [1, 0, 2, 0]
    assert log.item_ids[log.item].tolist() == ["5", "7", "7", "-1"]
    assert log.timestamp is not None and log.timestamp.tolist() == [1, 2, 3, 4]
    assert log.rating is None


def test_text_is_coded_by_code_points():
    words = [["b", "é", "a"], ["Z", "𝒜", "b"]]
    chunks = [Chunk(pa.array(part), pa.array(part)) for part in words]
    log = ChunkedLog("any", lambda: iter(chunks)).log()
    assert log.user_ids.tolist() == sorted({word for part in words for word in part})
    assert log.user_ids[log.user].tolist() == [word for part in words for word in part]


@pytest.mark.parametrize("listed", [np.array([7, 3, 7]), pa.array(["7", "3", "7"])])
def test_listed_items_are_in_the_catalog_without_an_interaction(listed):
    items = np.array([9, 7]) if isinstance(listed, np.ndarray) else pa.array(["9", "7"])
    log = ChunkedLog("any", lambda: iter([Chunk(items, items)]), listed_items=listed).log()
    assert log.item_ids.tolist() == ["3", "7", "9"]
    assert log.item_ids[log.item].tolist() == ["9", "7"]
    assert log.listed is not None and log.listed.tolist() == [True, True, False]


def test_a_source_without_rows_is_refused():
    with pytest.raises(InputError, match="no interaction"):
        ChunkedLog("any", lambda: iter([numbers([], [], [])])).log()
