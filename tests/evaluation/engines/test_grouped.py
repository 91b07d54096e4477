"""Where Spark shuffles histories, what comes out has the same bits as by threads."""

import numpy as np
import pytest

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines import spark as spark_engine
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import interactions, with_weights
from tests.evaluation.engines.sample_kernels import sums
from tests.evaluation.engines.test_spark import both, fitted, same


@pytest.fixture
def engine(spark, tmp_path, monkeypatch):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(spark_engine, "TASKS_A_CORE", 2)  # A task costs a tenth of a second.
    found = engines.GroupedEngine()
    engines.use(found)
    yield found
    engines.use(LocalEngine())
    found.close()
    assert not list(tmp_path.glob("cache/*"))


def test_the_record_names_it(engine):
    assert engine.name == "spark on local[2], item-to-item fits grouped"


def test_similarities_of_weighted_interactions_have_the_same_bits(engine):
    train = with_weights(interactions(np.random.default_rng(0), 200, 600, 0.05))
    same(*both(lambda: fitted(Swing(max_users_per_item=20), train)))


@pytest.mark.parametrize("model", [ItemCF(), Swing(max_items_per_user=40)])
def test_similarities_of_ml_100k_have_the_same_bits(engine, model, data_dir):
    train = load("ml-100k", data_dir).train_valid
    there, here = both(lambda: fitted(model, train))
    same(there, here)
    # What is shared is of items, and what comes back is of neighbors that are kept.
    assert engine.bytes_shared < len(train)
    assert engine.bytes_returned < 1.1 * (8 * len(here[0]) + 16 * train.n_items)


def test_a_kernel_that_raises_is_one_sentence(engine):
    train = interactions(np.random.default_rng(0))
    found = engines.Histories(train, np.ones(train.n_users))
    with pytest.raises(InputError, match=r"^adding: Spark gave up: TypeError: sums\(\) missing 1 required"):
        list(engine.map_histories(sums, found, (), np.ones(train.n_items), "adding"))
