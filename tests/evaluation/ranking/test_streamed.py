"""Lists that are written as they are made."""

from __future__ import annotations

import numpy as np
import pytest
from pyarrow import parquet

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import streamed, topk


def test_the_file_has_the_lists_of_all_queries_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(streamed, "BLOCK", 7)
    rng = np.random.default_rng(0)
    queries, items = (rng.standard_normal((n, 8), dtype=np.float32) for n in (30, 50))
    exclude = Ragged.from_rows([rng.choice(50, 5, replace=False).tolist() for _ in range(30)])
    streamed.write_lists(tmp_path / "lists.parquet", queries, items, exclude, 60)
    found = parquet.read_table(tmp_path / "lists.parquet")
    expected = topk.inner_product(queries, items, exclude, 60)
    for name, lists in zip(("item", "score"), expected, strict=True):
        np.testing.assert_array_equal(np.array(found[name].to_pylist(), lists.dtype), lists)


def test_a_ranking_that_fails_leaves_no_file(tmp_path):
    broken = np.full((2, 3), np.nan, np.float32)
    with pytest.raises(ValueError, match="query 0"):
        streamed.write_lists(tmp_path / "l.parquet", broken, np.ones((4, 3), np.float32), Ragged.empty(2), 2)
    assert not list(tmp_path.iterdir())
