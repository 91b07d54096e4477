"""Warm starts of neighborhoods are equal to fits; those of als are near them."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from tests.baselines.logs import interactions, with_weights

NEIGHBORHOODS = [
    ItemCF(top_k=8),
    ItemCF(top_k=8, prune_axis="history", shrinkage=0.0, normalization=0.0),
    Swing(top_k=8),
    Swing(top_k=8, prune_axis="history", user_offset=5.0),
]


def days(weighted):
    """The interactions up to three days; the last users and items are new on the last day."""
    whole = interactions(np.random.default_rng(0), n_users=120, density=0.25)
    whole = with_weights(whole) if weighted else whole
    seen = np.random.default_rng(1).random(len(whole))
    late = (whole.user >= 110) | (whole.item >= 45)
    return [some(whole, (seen < share) & ~late) for share in (0.9, 0.95)] + [whole]


def some(train, kept):
    weight = None if train.weight is None else train.weight[kept]
    return replace(train, user=train.user[kept], item=train.item[kept], weight=weight)


def after(model, then):
    """An earlier fit whose codes are those of today."""
    users, items = (np.arange(n, dtype=np.int32) for n in (then.n_users, then.n_items))
    return Earlier(model, users, items, items, then, 0)


def fitted(model, train):
    found = replace(model)
    found.fit(train, None, 0)
    return found


def assert_same(warm, full):
    one, other = (each.similarity_.sorted_indices() for each in (warm, full))
    np.testing.assert_array_equal(one.indptr, other.indptr)
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_allclose(one.data, other.data, rtol=1e-6)
    np.testing.assert_array_equal(warm.popular_, full.popular_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", NEIGHBORHOODS, ids=repr)
def test_each_day_is_equal_to_a_full_fit(model, weighted):
    first, *later = days(weighted)
    earlier, then = fitted(model, first), first
    for train in later:
        warm = replace(model)
        warm.warm_start(after(earlier, then), train, 0)
        assert_same(warm, fitted(model, train))
        earlier, then = warm, train


@pytest.mark.parametrize("model", [ItemCF(top_k=8), Swing(top_k=8)], ids=repr)
def test_only_changed_users_are_summed(model, monkeypatch):
    _, then, now = days(weighted=False)
    warm = replace(model)
    warm.warm_start(after(fitted(model, then), then), then, 0)
    asked, name = [], "_counts" if isinstance(model, ItemCF) else "_sums"
    summed = getattr(type(model), name)

    def watched(self, train, users):
        asked.append(users)
        return summed(self, train, users)

    monkeypatch.setattr(type(model), name, watched)
    later = replace(model)
    later.warm_start(after(warm, then), now, 0)
    differ = np.array([set(then.by_user[user]) != set(now.by_user[user]) for user in range(120)])
    assert 0 < differ.sum() < 120
    for users in asked:
        np.testing.assert_array_equal(users, differ)


@pytest.mark.parametrize("model", [ItemCF(top_k=8), Swing(top_k=8)], ids=repr)
def test_what_is_gone_leaves_no_trace(model):
    then, _, whole = days(weighted=False)
    warm = replace(model)
    warm.warm_start(after(fitted(model, then), then), then, 0)
    now = some(whole, whole.user % 7 != 0)
    later = replace(model)
    later.warm_start(after(warm, then), now, 0)
    assert_same(later, fitted(model, now))


def test_swing_with_drawn_users_has_no_warm_start():
    assert "max_users_per_item=0" in Swing(max_users_per_item=3).lacking_warm_start()
    assert not Swing().lacking_warm_start()


def test_als_comes_near_the_objective_of_a_full_fit_in_few_sweeps():
    _, then, now = days(weighted=False)
    settings = {"factors": 8, "regularization": 1.0, "alpha": 10.0}
    full = fitted(ALS(**settings, iterations=30), now)
    warm, cold = ALS(**settings, iterations=2), fitted(ALS(**settings, iterations=2), now)
    warm.warm_start(after(fitted(ALS(**settings, iterations=30), then), then), now, 0)
    losses = [loss(each, now) for each in (full, warm, cold)]
    assert losses[1] < losses[2]
    assert losses[1] < 1.02 * losses[0]
    assert np.abs(warm.item_factors_[45:]).max() > 0, "new items have vectors"


def loss(model, train):
    """The objective of `ALS`, of the best users for its items."""
    taken = np.zeros((train.n_users, train.n_items))
    taken[train.user, train.item] = 1
    known = np.flatnonzero(train.user_counts)
    users, items = model.encode_queries(train.queries(known)), model.item_factors_
    taken = taken[known]
    confidence = 1 + (model.alpha - 1) * taken
    error = (confidence * (taken - users @ items.T) ** 2).sum()
    return error + model.regularization * ((users**2).sum() + (items**2).sum())
