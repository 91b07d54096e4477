"""Metrics: by hand, and against trec_eval's own code."""

import math
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.measure import mean, per_query
from retrieval_leaderboard.evaluation.metrics.registry import LIST_LEVEL, PER_QUERY


def lists(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int32)


def test_one_query_by_hand():
    scored = per_query(lists([5, 3, 9, 1]), Ragged.from_rows([[3, 1, 7]]), k=4)
    expected = {
        "precision": 2 / 4,
        "recall": 2 / 3,
        "map": (1 / 2 + 2 / 4) / 3,
        "ndcg": (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / math.log2(4)),
        "hitrate": 1.0,
        "mrr": 1 / 2,
    }
    assert {name: scored[name][0] for name in expected} == pytest.approx(expected)


def test_more_relevant_items_than_places():
    scored = per_query(lists([0, 1]), Ragged.from_rows([[0, 1, 2, 3]]), k=2)
    assert scored["recall"][0] == 0.5
    assert scored["map"][0] == 1.0
    assert scored["ndcg"][0] == pytest.approx(1.0)


def test_only_the_first_k_places_count():
    scored = per_query(lists([9, 8, 1]), Ragged.from_rows([[1]]), k=2)
    assert all(scored[name][0] == 0 for name in PER_QUERY)


def test_missing_places_are_misses():
    short = per_query(lists([1]), Ragged.from_rows([[1, 2]]), k=20)
    padded = per_query(lists([1] + [-1] * 19), Ragged.from_rows([[1, 2]]), k=20)
    assert short["precision"][0] == padded["precision"][0] == 1 / 20
    assert {name: short[name][0] for name in PER_QUERY} == {name: padded[name][0] for name in PER_QUERY}


def test_a_query_without_relevant_items_is_left_out_of_the_mean():
    scored = per_query(lists([1], [1]), Ragged.from_rows([[1], []]), k=1)
    assert all(np.isnan(scored[name][1]) for name in PER_QUERY)
    assert all(value == 1.0 for value in mean(scored).values())


def test_equals_trec_eval():
    """trec_eval divides AP by rel, ours by min(rel, k): the ratio turns one into the other."""
    k, n_queries, n_items = 20, 200, 500
    rng = np.random.default_rng(1)
    items = np.stack([rng.permutation(n_items)[:k] for _ in range(n_queries)]).astype(np.int32)
    relevant = [
        rng.choice(n_items, size=rng.integers(1, 60), replace=False).tolist() for _ in range(n_queries)
    ]
    scored = per_query(items, Ragged.from_rows(relevant), k)

    truth = {str(q): {str(item): 1 for item in row} for q, row in enumerate(relevant)}
    run = {
        str(q): {str(item): float(k - place) for place, item in enumerate(row)} for q, row in enumerate(items)
    }
    measures = {f"P.{k}", f"recall.{k}", f"map_cut.{k}", f"ndcg_cut.{k}", f"success.{k}", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(run)
    for query in range(n_queries):
        by_name = theirs[str(query)]
        assert scored["precision"][query] == pytest.approx(by_name[f"P_{k}"])
        assert scored["recall"][query] == pytest.approx(by_name[f"recall_{k}"])
        assert scored["ndcg"][query] == pytest.approx(by_name[f"ndcg_cut_{k}"])
        assert scored["hitrate"][query] == pytest.approx(by_name[f"success_{k}"])
        assert scored["mrr"][query] == pytest.approx(by_name["recip_rank"])
        rel = len(relevant[query])
        assert scored["map"][query] == pytest.approx(by_name[f"map_cut_{k}"] * rel / min(rel, k))


def test_every_file_of_definitions_registers():
    from retrieval_leaderboard.evaluation.metrics import definitions

    files = {path.stem for path in Path(definitions.__file__).parent.glob("[!_]*.py")}
    functions = [metric.function for metric in (*PER_QUERY.values(), *LIST_LEVEL.values())]
    assert {function.__module__.rpartition(".")[2] for function in functions} == files
