import math

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural.training import popularity, schedule
from retrieval_leaderboard.neural.training.schedule import EarlyStopping, rate

LENGTH = 30


def recommend(queries, k, exponent):
    """Items 0, 1, 2, … for every query."""
    return np.tile(np.arange(k, dtype=np.int32), (len(queries), 1))


def queries(truths: list[int]) -> Queries:
    nothing = Ragged.empty(len(truths))
    return Queries(
        np.full(len(truths), -1, np.int32), nothing, nothing, Ragged.from_rows([[each] for each in truths])
    )


def stopping(truths: list[int], scores: int = 10**6, epochs: int = 10) -> EarlyStopping:
    return EarlyStopping(queries(truths), scores, LENGTH, epochs, patience=2, seed=0)


def test_the_score_is_ndcg_at_20() -> None:
    # The true items stand at ranks 1, 20 and 21.
    assert stopping([0, 19, 20]).score(1, recommend) == pytest.approx((1 + 1 / math.log2(21) + 0) / 3)


def test_an_epoch_that_is_as_good_is_not_better(monkeypatch) -> None:
    planned = iter([0.3, 0.5, 0.5, 0.5])
    monkeypatch.setattr(schedule.measure, "per_query", lambda *_: {"ndcg": np.array([next(planned)])})
    here = stopping([0])
    stopped = []
    for epoch in range(1, 5):
        here.score(epoch, recommend)
        stopped.append(here.stop)
    assert (here.best_epoch, here.best_score) == (2, 0.5)
    assert stopped == [False, False, False, True]


def test_scores_of_zero_choose_no_epoch() -> None:
    here = stopping([25, 26])  # Items beyond the first 20.
    for epoch in range(1, 3):
        assert here.score(epoch, recommend) == 0
    assert (here.best_epoch, here.stop) == (0, True)


def test_a_sample_of_the_queries_is_scored(monkeypatch) -> None:
    monkeypatch.setattr(schedule, "VALID_QUERIES", 7)
    truths = list(range(20))
    asked = [here.queries.relevant.compact()[0].tolist() for here in (stopping(truths), stopping(truths))]
    assert asked[0] == asked[1] == sorted(asked[0])
    assert len(set(asked[0])) == 7


@pytest.mark.parametrize(("scores", "epochs", "every"), [
    # 2 queries, 30 items: 60 scores against 0.15 · 4 · scores of an epoch.
    (100, 10, 1),
    (99, 10, 2),
    (20, 10, 5),
    (10**6, 20, 1),
    (10**6, 21, 2),
])  # fmt: skip
def test_looking_takes_no_more_than_its_share_of_the_time(scores: int, epochs: int, every: int) -> None:
    here = stopping([0, 1], scores, epochs)
    due = [epoch for epoch in range(1, epochs + 1) if here.due(epoch)]
    assert due == sorted({*range(every, epochs + 1, every), epochs})


def test_a_choice_of_the_exponent_takes_no_more_time() -> None:
    one, three = (
        EarlyStopping(queries([0, 1]), 20, LENGTH, 100, 2, 0, 0.0, chooses) for chooses in (False, True)
    )
    assert three.every == popularity.SCORED * one.every


def test_the_best_exponent_is_that_of_the_best_epoch() -> None:
    planned = {1: 0.04, 2: 0.08, 3: 0.02}  # The place of the truth by exponent and epoch.
    here = EarlyStopping(queries([0]), 10**6, LENGTH, 10, 9, 0, 0.06, chooses_exponent=True)

    def ranked(epoch: int):
        def recommend(queries, k, exponent):
            worse = round(50 * abs(exponent - planned[epoch])) + (epoch != 2)
            return np.roll(np.arange(k, dtype=np.int32), worse)[None]

        return recommend

    for epoch in planned:
        here.score(epoch, ranked(epoch))
    assert (here.best_epoch, here.best_exponent, here.best_score, here.exponent) == (2, 0.08, 1.0, 0.02)
    again = EarlyStopping(queries([0]), 10**6, LENGTH, 10, 9, 0, 0.06, chooses_exponent=True)
    again.restore(here.state())
    assert (again.best_epoch, again.best_exponent, again.exponent, again.waited) == (2, 0.08, 0.02, 1)


@pytest.mark.parametrize(("done", "expected"), [
    (0.0, 0.0), (0.025, 0.5), (0.5, 0.5), (0.75, 0.5 - 0.5 * 0.5**0.5), (1.0, 0.0)
])  # fmt: skip
def test_the_rate_rises_to_the_cosine_and_falls_with_it(done: float, expected: float) -> None:
    assert rate(done, averaging=0.0) == pytest.approx(expected)
