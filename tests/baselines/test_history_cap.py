"""A fit may learn from no more than so many items of each user."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.history_cap import capped
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.rp3beta import RP3Beta
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import interactions, with_weights


@pytest.fixture
def log():
    return with_weights(interactions(np.random.default_rng(0)))


def test_the_latest_items_are_kept_with_their_weights(log):
    found = capped(log, 3)
    for user in range(log.n_users):
        np.testing.assert_array_equal(found.by_user[user], log.by_user[user][-3:])
    weights = {
        (user, item): weight for user, item, weight in zip(log.user, log.item, log.weight, strict=True)
    }
    assert [weights[pair] for pair in zip(found.user, found.item, strict=True)] == found.weight.tolist()


def test_without_an_order_in_time_they_are_drawn_the_same_each_time(log):
    log = replace(log, ordered=False)
    found = capped(log, 3)
    np.testing.assert_array_equal(found.user_counts, np.minimum(log.user_counts, 3))
    np.testing.assert_array_equal(found.item, capped(log, 3).item)
    taken = set(zip(log.user.tolist(), log.item.tolist(), strict=True))
    assert set(zip(found.user.tolist(), found.item.tolist(), strict=True)) <= taken
    assert not np.array_equal(found.item, capped(replace(log, ordered=True), 3).item)


def test_nothing_is_copied_where_all_are_kept(log):
    assert capped(log, 0) is log and capped(log, int(log.user_counts.max())) is log


@pytest.mark.parametrize("kind", [ItemCF, Swing, RP3Beta])
def test_a_fit_is_that_of_the_capped_log(log, kind):
    one, other, whole = kind(top_k=20, max_items_per_user=6), kind(top_k=20), kind(top_k=20)
    one.fit(log, None, 0)
    other.fit(capped(log, 6), None, 0)
    whole.fit(log, None, 0)
    np.testing.assert_array_equal(one.similarity_.toarray(), other.similarity_.toarray())
    assert one.similarity_.nnz < whole.similarity_.nnz
    np.testing.assert_array_equal(one.popular_, whole.popular_)
    assert one.fit_bytes(log, None) < whole.fit_bytes(log, None)


@pytest.mark.parametrize("kind, setting", [
    (ItemCF, "max_items_per_user"), (RP3Beta, "max_items_per_user"), (Swing, "max_items_per_user"),
    (Swing, "max_users_per_item"),
])  # fmt: skip
def test_a_cap_that_leaves_no_pair_is_refused(kind, setting):
    """All lists would be those of global_hot."""
    sentence = rf"^{kind.name}\.{setting} is 1: give 2 or more, or 0$"
    with pytest.raises(InputError, match=sentence):
        settings.resolve(kind, {setting: "1"}, "--set")
    assert settings.resolve(kind, {setting: "2"}, "--set")[setting] == 2


def test_runs_without_a_cap_are_known_as_before():
    assert "max_items_per_user" not in settings.defaults(ItemCF)
    assert settings.resolve(Swing, {"max_items_per_user": "9"}, "--set")["max_items_per_user"] == 9


@pytest.mark.parametrize("kind", [ItemCF, Swing])
def test_a_warm_start_has_no_cap(kind):
    assert kind().lacking_warm_start() == ""
    assert (
        "has a warm start with max_items_per_user=0 alone" in kind(max_items_per_user=5).lacking_warm_start()
    )
