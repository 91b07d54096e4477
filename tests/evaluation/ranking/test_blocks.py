"""Work in blocks: results in order, and the duration said once, where it is long."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import forecast, streamed, topk
from retrieval_leaderboard.evaluation.ranking.blocks import in_blocks


@pytest.fixture(autouse=True)
def all_is_long(monkeypatch):
    monkeypatch.setattr(forecast, "WORTH_SAYING", 0)


def test_in_order():
    assert in_blocks(lambda start, stop: (start, stop), 5, 2, "any", "rows") == [(0, 2), (2, 4), (4, 5)]


def test_duration_is_said_after_the_first_block(capsys):
    in_blocks(lambda *_: None, 5, 2, "any", "rows", "5 rows")
    in_blocks(lambda *_: None, 5, 2, "any", "rows")
    assert capsys.readouterr().out == "any: about 0 s on 1 threads for 5 rows\n"


@pytest.mark.parametrize("rank", ["at once", "to a file"])
def test_ranking_is_said_once(rank, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(streamed, "BLOCK", 4)
    queries, items = np.ones((10, 3), np.float32), np.ones((7, 3), np.float32)
    if rank == "at once":
        topk.inner_product(queries, items, Ragged.empty(10), 2)
    else:
        streamed.write_lists(tmp_path / "lists.parquet", queries, items, Ragged.empty(10), 2)
    assert capsys.readouterr().out.count("10 queries × 7 items × 3 dimensions; docs/many-queries.md") == 1
