"""The duration of a ranking is said once, where it is long."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import forecast, streamed, topk


@pytest.fixture(autouse=True)
def all_is_long(monkeypatch):
    monkeypatch.setattr(forecast, "WORTH_SAYING", 0)


def kernel(shared, start, stop):
    return topk.empty(stop - start, 1)


def test_duration_is_said_after_the_first_block(capsys):
    topk.by_queries(kernel, (), 5, 1, 2)
    topk.by_queries(kernel, (), 5, 1, 2, "5 rows")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("ranking: about 0 s on 1 thread for 5 queries; docs/many-queries.md")
    assert said[1] == "ranking: about 0 s on 1 thread for 5 rows"


@pytest.mark.parametrize("rank", ["at once", "to a file"])
def test_ranking_is_said_once(rank, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(streamed, "BLOCK", 4)
    queries, items = np.ones((10, 3), np.float32), np.ones((7, 3), np.float32)
    if rank == "at once":
        topk.inner_product(queries, items, Ragged.empty(10), 2)
    else:
        streamed.write_lists(tmp_path / "lists.parquet", queries, items, Ragged.empty(10), 2)
    assert capsys.readouterr().out.count("10 queries × 7 items × 3 dimensions; docs/many-queries.md") == 1


def test_queries_that_take_longer_count_for_more(capsys, monkeypatch):
    """The first two of ten queries have half of what there is to do."""
    costs, clock = np.array([20, 20] + 8 * [5]), [0.0]

    def work(shared, start, stop):
        clock[0] += costs[start:stop].sum()
        return kernel(shared, start, stop)

    monkeypatch.setattr(topk.time, "perf_counter", lambda: clock[0])
    topk.by_queries(work, (), 10, 1, 2, costs=costs)
    assert capsys.readouterr().out.startswith("ranking: about 79 s on 1 thread")
