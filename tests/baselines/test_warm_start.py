"""Warm starts of counts, neighborhoods and ease are equal to fits; those of als and ials are near them."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines import pair_sums
from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.ials import IALS
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.popular_window import PopularWindow
from retrieval_leaderboard.baselines.rp3beta import RP3Beta
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.baselines.user_knn import UserKNN
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.studies.category_hot import CategoryHot
from tests.baselines.logs import interactions, queries, with_weights

NEIGHBORHOODS = [
    ItemCF(top_k=8),
    ItemCF(top_k=8, prune_axis="history", shrinkage=0.0, normalization=0.0),
    Swing(top_k=8),
    Swing(top_k=8, prune_axis="history", user_offset=5.0),
    RP3Beta(top_k=8),
    RP3Beta(top_k=8, prune_axis="history", normalization=0.3),
]
SUMMING = [ItemCF(top_k=8), Swing(top_k=8), RP3Beta(top_k=8), EASE()]


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
    return Earlier(model, users, items, items, then, then)


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


@pytest.mark.parametrize("model", SUMMING, ids=repr)
def test_only_changed_users_are_summed(model, monkeypatch):
    _, then, now = days(weighted=False)
    warm = replace(model)
    warm.warm_start(after(fitted(model, then), then), then, 0)
    asked, summed = [], pair_sums.updated

    def watched(earlier, train, sums):
        return summed(earlier, train, lambda *given: asked.append(given[1]) or sums(*given))

    monkeypatch.setattr(pair_sums, "updated", watched)
    later = replace(model)
    later.warm_start(after(warm, then), now, 0)
    differ = np.array([set(then.by_user[user]) != set(now.by_user[user]) for user in range(120)])
    assert 0 < differ.sum() < 120 and len(asked) == 2
    for users in asked:
        np.testing.assert_array_equal(users, differ)


@pytest.mark.parametrize("model", SUMMING, ids=repr)
def test_a_fit_forgets_the_sums_of_a_warm_start(model):
    first, second, third = days(weighted=False)
    warm = replace(model)
    warm.warm_start(after(fitted(model, first), first), second, 0)
    few = some(second, second.user % 2 == 0)
    warm.fit(few, None, 0)
    later = replace(model)
    later.warm_start(after(warm, few), third, 0)
    assert_same(later, fitted(model, third))


@pytest.mark.parametrize("model", NEIGHBORHOODS[::2], ids=repr)
def test_what_is_gone_leaves_no_trace(model):
    then, _, whole = days(weighted=False)
    warm = replace(model)
    warm.warm_start(after(fitted(model, then), then), then, 0)
    now = some(whole, whole.user % 7 != 0)
    later = replace(model)
    later.warm_start(after(warm, then), now, 0)
    assert_same(later, fitted(model, now))


def turned(model, then):
    """An earlier fit whose codes of items, which were counted down, are today's counted up."""
    users, items = np.arange(then.n_users, dtype=np.int32), np.arange(then.n_items, dtype=np.int32)[::-1]
    today = np.lexsort((items[then.item], then.user))
    found = replace(then, item=items[then.item][today])
    return Earlier(model, users, items, items, found, found), found


@pytest.mark.parametrize("model", SUMMING, ids=repr)
def test_items_may_have_other_codes_than_before(model):
    _, then, _ = days(weighted=False)
    warm, later = replace(model), replace(model)
    warm.warm_start(after(fitted(model, then), then), then, 0)
    earlier, now = turned(warm, then)
    later.warm_start(earlier, now, 0)
    full = fitted(model, now)
    np.testing.assert_allclose(later.similarity_.toarray(), full.similarity_.toarray(), rtol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_ease_is_a_fit_to_the_bit_without_weights(weighted):
    first, *later = days(weighted)
    earlier, then = fitted(EASE(), first), first
    for train in later:
        warm = EASE()
        warm.warm_start(after(earlier, then), train, 0)
        found, wanted = warm.similarity_.toarray(), fitted(EASE(), train).similarity_.toarray()
        if weighted:
            np.testing.assert_allclose(found, wanted, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)
        earlier, then = warm, train
    assert earlier.pair_sums_ is not None


def test_ease_with_few_candidates_is_a_fit():
    _, then, now = days(weighted=True)
    model, warm = EASE(candidates=9), EASE(candidates=9)
    warm.warm_start(after(fitted(model, then), then), now, 0)
    found, wanted = warm.similarity_.toarray(), fitted(model, now).similarity_.toarray()
    np.testing.assert_array_equal(found, wanted)
    assert warm.pair_sums_ is None


def test_where_all_items_were_candidates_new_ones_are_too():
    kept = {"top_k": 7, "self_similarity": 0.1}
    assert EASE.in_catalog({"candidates": 50, **kept}, 50, 60) == {"candidates": 60, **kept}
    assert EASE.in_catalog({"candidates": 50, **kept}, 80, 90) == {"candidates": 50, **kept}


@pytest.mark.parametrize(
    "model", [GlobalHot(), GlobalHot(half_life_days=3.0), PopularWindow(), UserKNN(), CategoryHot()], ids=repr
)
def test_what_only_counts_is_fitted_anew(model):
    train = interactions(np.random.default_rng(0), times=True)
    codes = Categorical((np.arange(train.n_items) % 4).astype(np.int32), ["unknown", "a", "b", "c"])
    now = replace(with_weights(train), item_features=Features({"genres": codes}))
    seen = np.random.default_rng(1).random(len(now)) < 0.9
    then = replace(some(now, seen), timestamp=now.timestamp[seen])
    warm = replace(model)
    warm.warm_start(after(fitted(model, then), then), now, 0)
    lists, wanted = (each.recommend(queries(now), 10) for each in (warm, fitted(model, now)))
    for found, expected in zip(lists, wanted, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_ials_goes_on_where_the_run_ended():
    _, train, _ = days(weighted=True)
    warm = IALS(factors=8, iterations=3)
    warm.warm_start(after(fitted(IALS(factors=8, iterations=2), train), train), train, 0)
    whole = fitted(IALS(factors=8, iterations=5), train)
    np.testing.assert_array_equal(warm.item_factors_, whole.item_factors_)


def test_ials_has_vectors_of_new_items_after_one_sweep():
    _, then, now = days(weighted=False)
    warm = IALS(factors=8, iterations=1)
    earlier = after(fitted(IALS(factors=8), then), then)
    item = np.where(np.arange(now.n_items) < 45, earlier.item, -1).astype(np.int32)
    warm.warm_start(replace(earlier, item=item), now, 0)
    known = now.item_counts[45:] > 0
    assert known.any()
    np.testing.assert_array_equal(warm.item_factors_[45:].any(axis=1), known)


def test_changes_are_told_by_raw_ids():
    data = planted()
    kept = data.train_valid.item != 2
    now = replace(
        data,
        item_ids=np.where(np.arange(len(data.item_ids)) == 1, "another", data.item_ids),
        train_valid=some_of(data.train_valid, kept),
    )
    matched = Earlier.of(None, data, now)
    np.testing.assert_array_equal(np.flatnonzero(matched.item < 0), [1])
    np.testing.assert_array_equal(np.flatnonzero(matched.item_now < 0), [1])
    changes = matched.changes(now.train_valid)
    took = [data.train_valid.item == item for item in (1, 2)]
    assert (changes.new, changes.gone) == (took[0].sum(), took[0].sum() + took[1].sum())
    np.testing.assert_array_equal(
        np.flatnonzero(changes.users), np.unique(data.train_valid.user[took[0] | took[1]])
    )


def some_of(train, kept):
    columns = {"user": train.user, "item": train.item, "timestamp": train.timestamp}
    return replace(train, **{name: each if each is None else each[kept] for name, each in columns.items()})


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
