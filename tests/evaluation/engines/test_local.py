"""Blocks in, arrays out: the seam that all engines have, and that every fit and ranking goes through."""

import pickle
import threading
from functools import partial

import numpy as np
import pytest

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.baselines.user_knn import UserKNN
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.support import compute


class PicklingEngine(LocalEngine):
    """Sends all that it is given through a pickle, as an engine of other processes does."""

    def __init__(self):
        self.labels = set()

    def map(self, kernel, shared, total, size, label, unit):
        self.labels.add(label)
        yield from super().map(*pickle.loads(pickle.dumps((kernel, shared))), total, size, label, unit)


@pytest.fixture
def pickling():
    before = engines.current()
    engine = PicklingEngine()
    engines.use(engine)
    yield engine
    engines.use(before)


def sums(shared, start, stop, factor):
    return factor * shared["numbers"][start:stop].sum()


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_blocks(monkeypatch, threads):
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=threads))
    shared = {"numbers": np.arange(10)}
    found = LocalEngine().map(partial(sums, factor=2), shared, 10, 4, "adding", "numbers")
    assert list(found) == [12, 44, 34]


def test_nothing_to_do_gives_nothing():
    assert list(LocalEngine().map(sums, {}, 0, 4, "adding", "numbers")) == []


def fitted_and_ranked(model, data):
    model.fit(data.train_valid, None, seed=0)
    return model.recommend(data.test, 5)


@pytest.mark.parametrize(("model", "labels"), [
    (ItemCF(), {"item_cf", "ranking"}),
    (Swing(), {"swing", "swing: counting", "ranking"}),
    (EASE(), {"ease: counting", "ranking"}),
    (EASE(candidates=3), {"ease: candidates", "ease", "ranking"}),
    (UserKNN(), {"ranking"}),
    (ALS(factors=4), {"als: folding in", "ranking"}),
    (GlobalHot(), {"ranking"}),
])  # fmt: skip
def test_what_is_dealt_out_can_be_sent_elsewhere(pickling, model, labels):
    data = planted()
    there = fitted_and_ranked(model, data)
    assert pickling.labels == labels
    engines.use(LocalEngine())
    here = fitted_and_ranked(model, data)
    np.testing.assert_array_equal(here[0], there[0])
    np.testing.assert_array_equal(here[1], there[1])


def test_one_block_is_done_on_the_thread_that_asks():
    def mapped(total, kernel):
        return list(LocalEngine().map(kernel, (), total, 5, "label", "rows"))

    here = threading.get_ident()
    assert mapped(5, lambda _, start, stop: (threading.get_ident(), start, stop)) == [(here, 0, 5)]
    assert here not in mapped(6, lambda *_: threading.get_ident())
    assert mapped(0, lambda *_: pytest.fail("there is nothing to do")) == []
