"""Similarities where items are taken again: how much of a list is the history, and what says so."""

import numpy as np
import pytest

from retrieval_leaderboard.baselines import repeats
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.rp3beta import RP3Beta
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation import evaluate
from retrieval_leaderboard.evaluation.models import settings
from tests.baselines.logs import interactions
from tests.datasets.splits.hand_made import make_log

SHARES = {ItemCF: 0.3, Swing: 0.3, RP3Beta: 0.1, EASE: 0.03}
MODELS = list(SHARES)


def asked(histories, truths):
    rows = [Ragged.from_rows([np.array(each, np.int32) for each in part]) for part in (histories, truths)]
    n = len(histories)
    return Queries(np.arange(n, dtype=np.int32), rows[0], Ragged.empty(n), rows[1])


def test_the_ratio_is_the_share_of_true_items_in_their_history():
    valid = asked([[1, 2], [3], []], [[2, 4, 5], [3], [3]])
    assert repeats.ratio(valid) == pytest.approx(0.4)
    assert repeats.ratio(valid.take(np.arange(1, 2))) == repeats.MOST
    assert repeats.ratio(None) == repeats.ratio(valid.take(np.arange(0))) == 0


@pytest.mark.parametrize("model", MODELS)
def test_an_item_is_similar_to_itself_by_the_sum_of_the_others(model):
    train = interactions(np.random.default_rng(0))
    plain, own = model(self_similarity=0), model(self_similarity=3)
    for each in (plain, own):
        each.fit(train, None, 0)
    others = plain.similarity_.toarray()
    assert not others.diagonal().any()
    found = own.similarity_.toarray()
    sums = np.maximum(others, 0).sum(axis=1)
    sums[(sums == 0) & (train.item_counts > 0)] = sums.mean()
    np.testing.assert_allclose(found.diagonal(), 3 * sums, rtol=1e-5)
    np.fill_diagonal(found, 0)
    np.testing.assert_array_equal(found, others)


def habits(repeat: float, n_users: int = 200, n_items: int = 120) -> list[tuple[int, int, int]]:
    """Events of users who take one of their last items again at times, else one of their taste."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(n_users):
        taken: list[int] = []
        taste = rng.integers(0, 6)
        for when in range(12):
            again = bool(taken) and rng.random() < repeat
            item = rng.choice(taken[-4:]) if again else 6 * rng.integers(0, n_items // 6) + taste
            taken.append(int(item))
            rows.append((user, taken[-1], 100 * when + int(rng.integers(0, 100))))
    return rows


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("repeat, gain", [(0.3, 1.04), (0.8, 1.5)])
def test_what_is_taken_again_is_found(model, repeat, gain):
    data = split(make_log(habits(repeat)), "next-item", False, 0)

    def ndcg(fitted):
        fitted.fit(data.train, data.valid, 0)
        return evaluate(fitted, data, k=10).metrics["ndcg"]

    found = ndcg(model())
    assert found > gain * max(ndcg(model(self_similarity=0)), ndcg(GlobalHot()))


@pytest.mark.parametrize("model", MODELS)
def test_where_nothing_is_taken_again_a_run_is_that_of_earlier_versions(model):
    new = split(make_log(habits(0.5)), "next-item", True, 0)
    assert "self_similarity" not in model().resolve(new.train, new.valid)
    assert "self_similarity" in model().without_effect(new.train, new.valid)
    assert "self_similarity" not in settings.defaults(model)
    again = split(make_log(habits(0.5)), "next-item", False, 0)
    model_now = model().resolved(again.train, again.valid)
    share = repeats.ratio(again.valid)
    assert model_now.self_similarity == round(SHARES[model] * share / (1 - share), 4) > 0
    assert not model().without_effect(again.train, again.valid)


@pytest.mark.parametrize("model", MODELS)
def test_an_item_that_nobody_took_beside_others_is_found_again(model):
    rows = [(user, user, when) for user in range(4) for when in range(4)]
    rows += [(user, 4 + (user + when) % 3, when) for user in range(4, 12) for when in range(4)]
    again = split(make_log(rows), "leave-last-one", False, 0)
    fitted = model().resolved(again.train, again.valid)
    fitted.fit(again.train_valid, None, 0)
    loyal = again.test.take(np.flatnonzero(again.test.user < 4))
    assert fitted.recommend(loyal, 1)[0].ravel().tolist() == [0, 1, 2, 3]


def test_repeats_that_differ_are_other_data():
    rows = [(user, item, 100 * item) for user in range(5) for item in range(4)]
    logs = [make_log([*rows, (0, 0, when)]) for when in (1_000, 2_000)]
    first, second = (split(each, "random", True, 0).fingerprint for each in logs)
    assert first != second


@pytest.mark.parametrize("model", MODELS)
def test_a_warm_start_keeps_what_came_to_0(model):
    new = split(make_log(habits(0.5)), "next-item", True, 0)
    resolved = model().resolve(new.train, new.valid)
    assert model.in_catalog(resolved, 120, 130)["self_similarity"] == 0
    assert model.in_catalog(resolved | {"self_similarity": 0.2}, 120, 130)["self_similarity"] == 0.2


def test_what_is_set_to_0_stays_0():
    again = split(make_log(habits(0.5)), "next-item", False, 0)
    assert settings.resolve(ItemCF, {"self_similarity": 0}, "--set")["self_similarity"] == 0
    assert ItemCF(self_similarity=0).resolved(again.train, again.valid).self_similarity == 0
