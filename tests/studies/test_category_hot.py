"""Popularity within the category against a slow reading of its definition."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.harness import evaluate, warm_up
from retrieval_leaderboard.evaluation.models import outside, registry
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.studies.category_hot import CategoryHot
from retrieval_leaderboard.support.errors import InputError

N_ITEMS, N_CATEGORIES = 40, 6


def features(rng, several):
    """Category 5 has no item with an interaction; some items have no category."""
    if not several:
        return Features({"cate_id": Categorical(rng.integers(0, N_CATEGORIES, N_ITEMS).astype(np.int32))})
    rows = [
        rng.choice(N_CATEGORIES, rng.integers(0, 4), replace=False).astype(np.int32) for _ in range(N_ITEMS)
    ]
    return Features(
        {"year": Categorical(np.zeros(N_ITEMS, np.int32)), "genres": Multivalued(Ragged.from_rows(rows))}
    )


def categories_of(found, item):
    if "cate_id" in found.columns:
        return [int(found["cate_id"].codes[item])]
    return found["genres"].codes[item].tolist() or [0]


def data(several, seed):
    rng = np.random.default_rng(seed)
    found = features(rng, several)
    taken = [item for item in range(N_ITEMS) if 5 not in categories_of(found, item) and item % 4]
    pairs = {(int(rng.integers(20)), int(rng.choice(taken))) for _ in range(150)}
    user, item = (np.array(column, np.int32) for column in zip(*sorted(pairs), strict=True))
    train = Interactions(user, item, None, 20, N_ITEMS, item_features=found)
    histories = [rng.integers(0, N_ITEMS, rng.integers(0, 7)).astype(np.int32) for _ in range(60)]
    excluded = [rng.choice(N_ITEMS, rng.integers(0, 30), replace=False).astype(np.int32) for _ in range(60)]
    excluded[1] = np.arange(N_ITEMS, dtype=np.int32)
    histories[2] = histories[2][:0]
    queries = Queries(
        np.full(60, -1, np.int32),
        Ragged.from_rows(histories),
        Ragged.from_rows(excluded),
        Ragged.from_rows([[0]] * 60),
    )
    return train, queries


def slow_scores(train, history, smoothing):
    """Item → score, as the class says it."""
    of = {item: categories_of(train.item_features, item) for item in range(N_ITEMS)}
    counts = {item: int((train.item == item).sum()) for item in range(N_ITEMS)}

    def popularity(item, category):
        members = [other for other in of if category in of[other]]
        some = [counts[other] for other in members if counts[other]]
        average = sum(some) / len(some) if some else 1
        return (counts[item] or average) / sum(counts[other] or average for other in members)

    def share(items, category):
        return sum((category in of[item]) / len(of[item]) for item in items)

    def score(item):
        total = 0.0
        for category in of[item]:
            everyone = share(train.item.tolist(), category) / len(train)
            own = (share(history, category) + smoothing * everyone) / (len(history) + smoothing)
            total += own * popularity(item, category)
        return total / len(of[item])

    return {item: score(item) for item in of}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("seed", "smoothing", "k"), [(0, 1.0, 5), (1, 0.1, 50), (2, 20.0, 1)])
def test_against_the_definition(several, seed, smoothing, k):
    train, queries = data(several, seed)
    model = CategoryHot(smoothing=smoothing)
    model.fit(train, None, 0)
    items, scores = model.recommend(queries, k)
    for row in range(len(queries)):
        wanted = slow_scores(train, queries.history[row].tolist(), smoothing)
        allowed = [item for item in wanted if item not in queries.exclude[row]]
        best = sorted((wanted[item] for item in allowed), reverse=True)[:k]
        listed = items[row][items[row] >= 0]
        assert len(listed) == len(set(listed)) == min(k, len(allowed))
        assert set(listed) <= set(allowed)
        np.testing.assert_allclose(scores[row, : len(best)], best, rtol=1e-6)
        np.testing.assert_allclose([wanted[item] for item in listed], best, rtol=1e-6)
        tied = np.diff(scores[row, : len(listed)]) == 0
        assert (np.diff(ties.rank(listed.astype(np.int64)))[tied] > 0).all()


def test_a_category_that_nobody_took_anything_of_is_reached_by_its_history_alone():
    train, queries = data(several=False, seed=0)
    codes = train.item_features["cate_id"].codes
    model = CategoryHot()
    model.fit(train, None, 0)
    (members,) = np.nonzero(codes == 5)
    assert not train.item_counts[members].any()
    asked = replace(
        queries.take(slice(0, 1)), history=Ragged.from_rows([members[:1]]), exclude=Ragged.empty(1)
    )
    items, scores = model.recommend(asked, N_ITEMS)
    assert set(members) <= set(items[0, : len(members) + N_ITEMS])
    place = np.flatnonzero(np.isin(items[0], members))
    in_tie_order = np.diff(ties.rank(items[0][place].astype(np.int64))) > 0
    assert in_tie_order.all(), "all the same to it"
    np.testing.assert_allclose(scores[0][place], 0.5 / len(members), rtol=1e-6)


def test_it_keeps_the_contract_and_is_read_again_as_it_was(tmp_path):
    check_model(CategoryHot)
    train, queries = data(several=True, seed=3)
    model = CategoryHot()
    model.fit(train, None, 0)
    model.save(tmp_path)
    again = CategoryHot.load(tmp_path)
    for first, second in zip(model.recommend(queries, 7), again.recommend(queries, 7), strict=True):
        np.testing.assert_array_equal(first, second)
    assert model.reaches_cold_items and model.parameters == model.popularity_.nnz


def test_the_planted_category_is_found():
    dataset = planted()
    model = CategoryHot()
    model.fit(dataset.train_valid, None, 0)
    assert evaluate(model, dataset, k=1).metrics["recall"] == 1.0


def test_it_joins_a_board_by_its_file_alone():
    path = ROOT / "studies" / "category_hot.py"
    assert outside.load(f"{path}:CategoryHot").name == "category_hot"
    assert "category_hot" not in registry.names()


def test_what_it_cannot_use_is_refused_in_a_sentence():
    train, _ = data(several=True, seed=0)
    with pytest.raises(InputError, match="did you mean 'genres'"):
        CategoryHot(category="genre").fit(train, None, 0)
    CategoryHot(category="year").fit(train, None, 0)
    with pytest.raises(InputError, match="needs item features with categories"):
        CategoryHot().fit(replace(train, item_features=None), None, 0)
    with pytest.raises(InputError, match=r"smoothing must be above 0, not 0\.0"):
        CategoryHot(smoothing=0.0)


def test_a_column_that_the_tiny_data_lacks_is_no_obstacle_to_warming_up():
    warm_up(CategoryHot, {"category": "genres"})
