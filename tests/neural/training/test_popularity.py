from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import BSL, InfoNCE, SimpleX
from retrieval_leaderboard.neural.training.popularity import EXPONENTS, climb
from tests.neural.blocks import HELD_OUT, ITEMS, SMALL, blocks


@pytest.mark.parametrize("start", EXPONENTS)
@pytest.mark.parametrize("best", EXPONENTS)
def test_from_everywhere_the_one_summit_is_found(start: float, best: float) -> None:
    asked = []

    def score(exponent: float) -> float:
        asked.append(exponent)
        return 1 - abs(exponent - best)

    assert climb(score, start) == (best, 1.0)
    assert len(asked) == len(set(asked))


def test_of_equals_it_stays_where_it_is() -> None:
    assert climb(lambda _: 0.5, 0.06) == (0.06, 0.5)


def test_at_the_summit_it_asks_for_those_beside_it_alone() -> None:
    asked = []
    climb(lambda each: asked.append(each) or -abs(each - 0.06), 0.06)
    assert asked == [0.06, 0.04, 0.08]


def popular(truth: int) -> tuple[Interactions, Queries]:
    """`blocks`, where item `truth` of each is taken three times; every query asks for that of its block."""
    train, queries = blocks()
    often = train.item % ITEMS == truth
    rows = np.sort(np.concatenate([np.arange(len(train)), np.repeat(np.flatnonzero(often), 2)]))
    train = replace(train, user=train.user[rows], item=train.item[rows])
    asked = queries.relevant.compact()[0].reshape(len(queries), HELD_OUT)
    is_truth = asked % ITEMS == truth
    relevant = Ragged.from_rows([np.array([item], np.int32) for item in asked[is_truth]])
    return train, replace(queries.take(np.flatnonzero(is_truth.any(axis=1))), relevant=relevant)


@pytest.mark.parametrize("model", [InfoNCE, SimpleX, BSL])
def test_the_fit_takes_the_exponent_of_best_ndcg(model) -> None:
    train, queries = popular(truth=0)
    settings = SMALL | {"epochs": 4, "examples": "user", "patience": 9, "neighbors": 0}
    chosen = model(**settings)
    chosen.fit(train, queries, 0)
    assert chosen.exponent_ > 0 and chosen.resolved_["popularity_exponent"] == "auto"
    scored = [each for each in chosen.training_log if "valid_ndcg" in each]
    best = max(each["valid_ndcg"] for each in scored)
    assert (best, chosen.exponent_) in [(each["valid_ndcg"], each["popularity_exponent"]) for each in scored]
    items, _ = chosen.recommend(queries, 20)
    assert measure.mean(measure.per_query(items, queries.relevant, 20))["ndcg"] == pytest.approx(best)


def test_the_fit_to_everything_keeps_it() -> None:
    train, queries = popular(truth=0)
    model = InfoNCE(**SMALL | {"epochs": 4, "examples": "user", "neighbors": 0})
    model.fit(train, queries, 0)
    chosen = model.exponent_
    model.fit(train, None, 0)
    assert model.exponent_ == chosen > 0
    given = InfoNCE(
        **SMALL | {"epochs": 4, "examples": "user", "neighbors": 0, "popularity_exponent": chosen}
    )
    given.fit(train, queries, 0)
    given.best_epoch_ = model.best_epoch_
    given.fit(train, None, 0)
    assert np.array_equal(given.encode_items(), model.encode_items())


def test_a_warm_start_ranks_by_the_exponent_of_then() -> None:
    data = planted()
    asked = SMALL | {"epochs": 3, "examples": "user"}
    earlier, later, given = InfoNCE(**asked), InfoNCE(**asked), InfoNCE(**asked, popularity_exponent=0.3)
    harness.fit(earlier, data, 0)
    earlier.exponent_ = 0.15
    harness.warm_start(later, earlier, data, data, 0)
    assert later.exponent_ == 0.15
    harness.warm_start(given, earlier, data, data, 0)
    assert given.exponent_ == 0.3
