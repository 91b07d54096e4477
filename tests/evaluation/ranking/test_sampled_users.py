"""Some users of a log: all they took, nothing of others, and what is reckoned of all by them."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.ranking import forecast, item_neighbors, neighbor_memory, sampled_users
from retrieval_leaderboard.evaluation.ranking.sampled_users import SampledUsers


@pytest.fixture
def train():
    """3,000 users with 1 to 40 of 200 items, weighted; the more popular, the lower an item's code."""
    rng = np.random.default_rng(0)
    rows = [np.unique((200 * rng.random(n) ** 2).astype(np.int32)) for n in rng.integers(1, 41, 3000)]
    user = np.repeat(np.arange(3000, dtype=np.int32), [len(row) for row in rows])
    weight = rng.random(len(user), np.float32) + 1
    return Interactions(user, np.concatenate(rows), None, 3000, 200, weight=weight)


def test_few_are_all(train):
    assert SampledUsers.of(train).log is train
    assert SampledUsers.of(train).share == 1


def test_all_that_each_of_them_took(train, monkeypatch):
    monkeypatch.setattr(sampled_users, "MOST", len(train) // 4)
    sample = SampledUsers.of(train)
    assert len(sample.users) == pytest.approx(750, abs=1)
    assert sample.share == pytest.approx(len(sample.log) / len(train))
    for place, user in enumerate(sample.users):
        mine, own = sample.log.user == place, train.user == user
        assert sample.log.item[mine].tolist() == train.item[own].tolist()
        assert sample.log.weight[mine].tolist() == train.weight[own].tolist()
    assert sample.users.tolist() == SampledUsers.of(train).users.tolist()


def test_pairs_and_bytes_are_near_those_of_all(train, monkeypatch):
    pairs = item_neighbors.activity(train)
    assert item_neighbors.reckoned_activity(train).tolist() == pairs.tolist()
    monkeypatch.setattr(sampled_users, "MOST", len(train) // 10)
    found = item_neighbors.reckoned_activity(train)
    assert found.sum() == pytest.approx(pairs.sum(), rel=0.1)
    need, told = (neighbor_memory.kept(train, 100, each) for each in (pairs, found))
    assert told == pytest.approx(need, rel=0.1)


def test_the_whole_log_is_not_walked(train, monkeypatch):
    """The message comes from the users drawn: only their rows are put by item."""
    monkeypatch.setattr(sampled_users, "MOST", len(train) // 10)
    monkeypatch.setattr(forecast, "WORTH_SAYING", 0.0)
    walked, by_item = [], item_neighbors.by_item
    monkeypatch.setattr(
        item_neighbors, "by_item", lambda log, values: walked.append(len(log)) or by_item(log, values)
    )
    item_neighbors.say_duration(train, 10, "any", lambda pairs: len(pairs), weighted=True)
    assert walked
    assert max(walked) < len(train) / 5
