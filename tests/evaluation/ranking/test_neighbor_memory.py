"""What fits say they take is near what they take, by the arrays that NumPy makes."""

import tracemalloc

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.ranking import item_neighbors, neighbor_memory
from retrieval_leaderboard.evaluation.ranking.neighbor_memory import ENTRY, held, kept
from tests.baselines.logs import interactions, with_weights


def log(n_users, n_items, n):
    """About n interactions, most of them with items that are popular."""
    rng = np.random.default_rng(0)
    item = (n_items * rng.random(n) ** 2).astype(np.int64)
    pairs = np.unique(rng.integers(n_users, size=n) * n_items + item)
    user, item = (each.astype(np.int32) for each in np.divmod(pairs, n_items))
    return Interactions(user, item, None, n_users, n_items, ordered=False)


@pytest.fixture(scope="module")
def train():
    """Interactions of 4,000 users with 3,000 items."""
    return log(4_000, 3_000, 120_000)


PAIRS = np.zeros(3_000)


def peak(work):
    """Bytes that `work` takes at its peak, of arrays that are not made in compiled code."""
    work()  # What is compiled is there from then on.
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "settings"), [
    ("item_cf", {"top_k": 300}), ("item_cf", {"top_k": 300, "normalization": 0.0}), ("swing", {"top_k": 300}),
    ("rp3beta", {"top_k": 500}), ("user_knn", {}), ("als", {"factors": 64, "iterations": 1}),
    ("ials", {"factors": 64, "iterations": 2}), ("ease", {"candidates": 40}),
])  # fmt: skip
def test_what_is_told_is_taken(name, settings, train):
    model = registry.get(name)(**settings)
    told = model.fit_bytes(train, None)
    assert told / peak(lambda: model.fit(train, None, 0)) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("name", ["item_cf", "rp3beta", "swing"])
def test_numbers_of_items_are_told_where_hardly_any_is_taken(name, monkeypatch):
    """They are most of it: norms, sums and divisors, and the order of popular items."""
    monkeypatch.setattr(neighbor_memory, "SMALL", 0)  # Blocks are made in compiled code.
    few, model = log(12_000, 60_000, 9_000), registry.get(name)(top_k=20)
    told = model.fit_bytes(few, None)
    assert told / peak(lambda: model.fit(few, None, 0)) == pytest.approx(1.05, abs=0.15)


def test_the_room_of_small_blocks_is_told_beside_what_is_made_of_them(train):
    blocks = {n: neighbor_memory.stored(train, 10**6, 2, n, False) for n in (1, 1000)}
    assert blocks[1000] - blocks[1] == ENTRY * 10**6 + 8 * train.n_items


@pytest.mark.parametrize("change", [lambda train: train, with_weights], ids=["alike", "weights"])
def test_putting_interactions_by_item(change, train):
    changed = change(train)
    changed.by_user  # noqa: B018 - it is there before.
    taken = peak(lambda: (item_neighbors.users_of_items(changed), item_neighbors.roots_of(changed)))
    assert neighbor_memory.by_item(changed) / taken == pytest.approx(1, abs=0.1)


class Many:
    """A log that no memory holds."""

    weight = None

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length


def test_codes_of_very_many_interactions_are_copied_as_wide_ones():
    few, many = (neighbor_memory.by_item(Many(n)) / n for n in (2**31 - 1, 2**31))
    assert (few, many) == (6, 18)


def test_similarities_kept_are_counted_by_all_items_where_they_are_few(train):
    few = interactions(np.random.default_rng(0))
    for top_k in (3, 1000):
        model = registry.get("item_cf")(top_k=top_k)
        model.fit(few, None, 0)
        assert kept(few, top_k, item_neighbors.activity(few)) == pytest.approx(model.similarity_.nnz)
    # Nothing is near to anything where everyone took one item.
    alone = Interactions(np.arange(5, dtype=np.int32), np.zeros(5, np.int32), None, 5, 1)
    assert kept(alone, 9, item_neighbors.activity(alone)) == 0


def test_similarities_kept_are_reckoned_by_a_sample_of_many(train):
    """Far fewer than a user's interactions with the others: most meet the same items."""
    model = registry.get("rp3beta")(top_k=2000)
    model.fit(train, None, 0)
    pairs = item_neighbors.activity(train)
    assert model.similarity_.nnz < 0.9 * np.minimum(pairs - train.item_counts, 2000).sum()
    assert kept(train, 2000, pairs) == pytest.approx(model.similarity_.nnz, rel=0.05)


def test_comparing_holds_what_is_found(train):
    some, more = (neighbor_memory.comparing(train, 10, PAIRS, each) for each in (10**7, 2 * 10**7))
    assert more - some == ENTRY * 10**7
    assert neighbor_memory.comparing(train, 10, PAIRS, 0) >= held(train)
