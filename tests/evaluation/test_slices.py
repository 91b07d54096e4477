"""Slices by history and by popularity of the true item, by hand."""

import numpy as np

from datasets.dataset import Interactions, Queries
from datasets.ragged import Ragged
from evaluation.slices import item_groups, slices

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
    return {part["slice"]: part for part in slices(LISTS, QUERIES, TRAIN, k)}


def test_history_slices():
    found = by_name(1)
    assert [found[f"history {name}"]["queries"] for name in ("0", "1–2", "3–9", "10+")] == [1, 1, 1, 0]
    assert found["history 0"]["recall"] == 1.0
    assert found["history 1–2"]["recall"] == 0.0
    assert found["history 3–9"]["recall"] == 0.5
    assert "recall" not in found["history 10+"]


def test_item_slices_cut_the_truth():
    found = by_name(2)
    assert found["head items"] == {"slice": "head items", "queries": 1} | {
        "precision": 0.5, "recall": 1.0, "map": 1.0, "ndcg": 1.0, "hitrate": 1.0,
    }  # fmt: skip
    assert found["tail items"]["queries"] == 2
    assert found["tail items"]["recall"] == 1.0
    assert found["tail items"]["map"] == 0.75
    assert found["cold items"]["queries"] == 1
    assert found["cold items"]["recall"] == 1.0


def test_groups_share_out_the_catalogue():
    groups = item_groups(TRAIN.item_counts)
    assert sum(groups.values()).tolist() == [1] * 5
    assert np.flatnonzero(groups["head"]).tolist() == [0]
    assert np.flatnonzero(groups["cold"]).tolist() == [4]
