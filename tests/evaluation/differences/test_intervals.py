"""How sure a difference is, from the metrics of queries where both rows keep them."""

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.differences import intervals
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.statistics import queries
from tests.evaluation.stored import record

QUERIES = 4000


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Two rows whose queries are far apart from each other and nearly alike in both rows."""
    rng = np.random.default_rng(0)
    before = rng.random(QUERIES)
    after = before + 0.01 + rng.normal(0, 0.01, QUERIES)
    columns = {"before": before.astype(np.float16), "after": after.astype(np.float16)}
    monkeypatch.setattr(queries, "read", lambda row: {"ndcg": columns[row.model]})
    return [
        Row(name, {}, [record(name, ndcg=float(np.mean(column)))], [], tmp_path)
        for name, column in columns.items()
    ]


def test_the_same_queries_are_compared_with_themselves(rows):
    found = intervals.difference(*rows, "ndcg", paired=True)
    error = 1.96 * 0.01 / np.sqrt(QUERIES)
    assert found.mean == pytest.approx(0.01, abs=0.001)
    assert found.high - found.mean == pytest.approx(error, rel=0.15)
    assert found.mean - found.low == pytest.approx(error, rel=0.15)


def test_other_queries_are_not(rows):
    found = intervals.difference(*rows, "ndcg", paired=False)
    error = 1.96 * np.sqrt(2 / 12 / QUERIES)
    assert found.high - found.mean == pytest.approx(error, rel=0.15)


def test_seeds_widen_the_interval(rows, tmp_path):
    before, after = rows
    seeds = [record("after", ndcg=after.mean("ndcg") + shift) for shift in (-0.01, 0.01)]
    wider = Row("after", {}, seeds, [], tmp_path)
    narrow = intervals.difference(before, after, "ndcg", paired=True)
    wide = intervals.difference(before, wider, "ndcg", paired=True)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_without_metrics_of_queries_seeds_alone_say_it(rows, monkeypatch):
    monkeypatch.setattr(queries, "read", lambda _: None)
    assert intervals.difference(*rows, "ndcg", paired=True) is None
