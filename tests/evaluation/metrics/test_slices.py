"""Slices by history and by popularity of the true item, by hand."""

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.slices import item_groups, slices

# Item 0 is the head (20 % of 5), items 1–3 the tail, item 4 cold.
TRAIN = Interactions(
    user=np.array([0, 0, 0, 1, 2], dtype=np.int32),
    item=np.array([0, 1, 2, 0, 3], dtype=np.int32),
    timestamp=None,
    n_users=4,
    n_items=5,
)
QUERIES = Queries(
    user=np.array([0, 1, 3], dtype=np.int32),
    history=Ragged.from_rows([[0, 1, 2], [0], []]),
    exclude=Ragged.from_rows([[0, 1, 2], [0], []]),
    relevant=Ragged.from_rows([[3, 4], [1], [0]]),
)
LISTS = np.array([[3, 4], [2, 1], [0, 1]], dtype=np.int32)


def by_name(k):
    return {part.slice: part for part in slices(LISTS, QUERIES, TRAIN, k)}


def test_history_slices():
    found = by_name(1)
    names = ("cold users", "history 1–2", "history 3–9", "history 10+")
    assert [found[name].queries for name in names] == [1, 1, 1, 0]
    assert found["cold users"].metrics["recall"] == 1.0
    assert found["history 1–2"].metrics["recall"] == 0.0
    assert found["history 3–9"].metrics["recall"] == 0.5
    assert found["history 10+"].metrics == {}


def test_item_slices_cut_the_truth():
    found = by_name(2)
    measured = {"precision": 0.5, "recall": 1.0, "map": 1.0, "ndcg": 1.0, "hitrate": 1.0}
    head = found["head items"]
    assert (head.queries, head.listed, head.random_recall) == (1, 1, 2 / 5)
    assert head.metrics.items() >= measured.items()
    assert found["tail items"].queries == 2
    assert found["tail items"].metrics["recall"] == 1.0
    assert found["tail items"].metrics["map"] == 0.75
    assert found["cold items"].queries == 1
    assert found["cold items"].metrics["recall"] == 1.0


def test_the_warm_part_has_a_history_and_truth_with_training_interactions():
    found = by_name(2)["warm"]
    assert found.queries == 2
    assert found.metrics["recall"] == found.metrics["hitrate"] == 1.0
    assert found.metrics["map"] == 0.75, "item 4 is cold and no longer among the truth of the first query"


def test_lists_with_nothing_in_them_are_counted():
    lists = LISTS.copy()
    lists[2] = -1
    found = {part.slice: part for part in slices(lists, QUERIES, TRAIN, 2)}
    assert found["cold users"].listed == 0
    assert found["history 3–9"].listed == 1
    assert found["history 10+"].listed is None


def test_random_recall_is_what_a_random_ranking_has():
    rng = np.random.default_rng(0)
    excluded = [[0, 1, 2, 1], [3], []]
    asked = Queries(QUERIES.user, QUERIES.history, Ragged.from_rows(excluded), QUERIES.relevant)
    part = next(part for part in slices(LISTS, asked, TRAIN, 2) if part.slice == "cold items")
    assert part.random_recall == 2 / 2
    allowed = [np.setdiff1d(np.arange(5), row) for row in excluded]
    hits = []
    for _ in range(1500):
        lists = np.stack([rng.permutation(items)[:1] for items in allowed]).astype(np.int32)
        hits.append([part.metrics.get("recall", 0) for part in slices(lists, asked, TRAIN, 1)])
    expected = [part.random_recall or 0 for part in slices(LISTS, asked, TRAIN, 1)]
    assert np.abs(np.mean(hits, axis=0) - expected).max() < 0.06  # over 4 standard deviations


def test_a_list_longer_than_what_is_allowed_has_every_item():
    assert all(part.random_recall in (None, 1.0) for part in slices(LISTS, QUERIES, TRAIN, 9))


def test_groups_share_out_the_catalog():
    groups = item_groups(TRAIN.item_counts)
    assert sum(groups.values()).tolist() == [1] * 5
    assert np.flatnonzero(groups["head"]).tolist() == [0]
    assert np.flatnonzero(groups["cold"]).tolist() == [4]


def test_the_head_is_a_fifth_of_the_items_with_interactions():
    counts = np.append(np.zeros(90, np.int64), [5, 1, 9, 2, 3, 8, 1, 1, 4, 2])
    groups = item_groups(counts)
    assert np.flatnonzero(groups["head"]).tolist() == [92, 95]
    assert groups["tail"].sum() == 8
    assert np.flatnonzero(groups["cold"]).tolist() == list(range(90))


def test_of_items_taken_as_often_the_first_are_the_head():
    counts = np.array([1, 2, 2, 2, 2, 2, 2, 2, 2, 9])
    assert np.flatnonzero(item_groups(counts)["head"]).tolist() == [1, 9]
    # A fifth of 22 items, rounded.
    assert item_groups(np.arange(1, 23))["head"].sum() == 4
