"""Items held out as cold: what is learned from, what is asked for, and what histories hold."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.protocols.cold_items import draw
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError

N_ITEMS = 60


def make_log(n_users: int = 40, events: int = 25, n_items: int = N_ITEMS, rating=None) -> Log:
    rng = np.random.default_rng(0)
    item = np.concatenate([rng.permutation(n_items)[:events] for _ in range(n_users)])
    return Log(
        name="tiny",
        user=np.repeat(np.arange(n_users, dtype=np.int32), events),
        item=item.astype(np.int32),
        user_ids=np.array([f"u{code}" for code in range(n_users)], dtype=object),
        item_ids=np.array([f"i{code}" for code in range(n_items)], dtype=object),
        timestamp=np.tile(np.arange(events, dtype=np.int64), n_users),
        rating=rating,
    )


def truth(queries):
    return queries.relevant.compact()[0]


def pairs(train):
    return set(zip(train.user.tolist(), train.item.tolist(), strict=True))


@pytest.fixture(scope="module")
def both():
    """The same log by next-item and by cold-items."""
    return split(make_log(), "next-item", False, 3), split(make_log(), "cold-items", False, 3)


COLD, COLD_IN_VALID = draw(N_ITEMS, 3)


def test_two_tenths_of_the_catalog_are_drawn_and_share_no_item():
    assert COLD.sum() == COLD_IN_VALID.sum() == 6
    assert not (COLD & COLD_IN_VALID).any()
    again, other = draw(N_ITEMS, 3), draw(N_ITEMS, 4)
    assert (again[0] == COLD).all() and (again[1] == COLD_IN_VALID).all()
    assert (other[0] != COLD).any()
    assert [group.sum() for group in draw(4, 0)] == [1, 1]


def test_every_item_is_as_likely_to_be_drawn():
    drawn = np.sum([draw(10, seed) for seed in range(2000)], axis=0)  # (kinds, items)
    assert abs(drawn - 200).max() < 70  # 5 standard deviations


def test_training_has_nothing_of_a_cold_item_and_all_of_the_others(both):
    plain, dataset = both
    everywhere = COLD | COLD_IN_VALID
    assert pairs(dataset.train) == {(u, i) for u, i in pairs(plain.train) if not everywhere[i]}
    assert pairs(dataset.train_valid) == {(u, i) for u, i in pairs(plain.train_valid) if not COLD[i]}
    assert not dataset.train_valid.item_counts[COLD].any()
    assert not dataset.train.item_counts[everywhere].any()
    assert dataset.train_valid.item_counts[COLD_IN_VALID].all()
    assert dataset.train.n_items == dataset.train_valid.n_items == N_ITEMS
    for part in (dataset.train, dataset.train_valid):
        assert (np.diff(part.user) >= 0).all()
        assert part.timestamp is not None and len(part.timestamp) == len(part)


def test_the_test_part_asks_all_that_next_item_asks(both):
    plain, dataset = both
    assert (dataset.test.user == plain.test.user).all()
    assert (truth(dataset.test) == truth(plain.test)).all()
    assert COLD[truth(dataset.test)].any()


def test_validation_asks_for_items_cold_there_and_never_for_those_cold_in_the_test_part(both):
    plain, dataset = both
    asked = truth(dataset.valid)
    assert not COLD[asked].any()
    assert COLD_IN_VALID[asked].any()
    assert len(dataset.valid) == (~COLD[truth(plain.valid)]).sum()
    assert (np.sort(asked) == np.sort(truth(plain.valid)[~COLD[truth(plain.valid)]])).all()


def test_histories_keep_the_cold_items_the_user_took(both):
    plain, dataset = both
    for row in range(len(plain.test)):
        assert (dataset.test.history[row] == plain.test.history[row]).all()
    assert COLD[dataset.test.history.compact()[0]].any()
    assert (COLD | COLD_IN_VALID)[dataset.valid.history.compact()[0]].any()
    assert not len(dataset.test.exclude.compact()[0])


def test_seen_items_may_be_excluded_cold_ones_too():
    dataset = split(make_log(), "cold-items", True, 3)
    assert COLD[dataset.test.exclude.compact()[0]].any()
    for row in range(len(dataset.test)):
        assert set(dataset.test.exclude[row]) == set(dataset.test.history[row])


def test_low_ratings_are_no_queries():
    log = make_log(rating=np.tile(np.array([5, 1], dtype=np.float32), 500))
    plain, dataset = (split(log, protocol, False, 0) for protocol in ("next-item", "cold-items"))
    assert len(dataset.test) == len(plain.test)


def test_the_board_is_told_what_was_held_out(both):
    plain, dataset = both
    removed = len(plain.train_valid) - len(dataset.train_valid)
    assert (
        f"6 items held out of training with their {removed} interactions; "
        "6 others held out of what the choice on the validation part learns from"
    ) in dataset.notes
    asked = len(set(truth(dataset.test)[COLD[truth(dataset.test)]].tolist()))
    assert f"{asked} test items without a training interaction" in dataset.notes


def test_the_seed_draws_other_items_and_another_fingerprint():
    prints = {split(make_log(), "cold-items", False, seed).fingerprint for seed in (0, 0, 1)}
    assert len(prints) == 2


def test_a_catalog_that_is_all_held_out_is_refused():
    with pytest.raises(InputError, match="no training interaction is left"):
        split(make_log(n_users=2, events=2, n_items=2), "cold-items", False, 0)


def test_ml_1m(data_dir):
    dataset = load("ml-1m", data_dir, protocol="cold-items")
    cold, cold_in_valid = draw(3706, 0)
    assert cold.sum() == cold_in_valid.sum() == 371
    assert not dataset.train_valid.item_counts[cold].any()
    assert not dataset.exclude_seen
    for queries, kind in ((dataset.test, cold), (dataset.valid, cold_in_valid)):
        assert 0.05 < kind[truth(queries)].mean() < 0.2
