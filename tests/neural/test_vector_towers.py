"""Towers with vectors from elsewhere: what they learn, keep and share."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.features import Features, Vector
from retrieval_leaderboard.evaluation.planted import BLOCKS, planted
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.training import memory
from retrieval_leaderboard.neural.training.trainer import Trainer
from tests.neural.looks import check_looks

DATA = planted()
SMALL = {"embedding_dim": 16, "batch_size": 16, "negatives": 24, "epochs": 40, "features": True, "mlp": ""}


def looks(n: int) -> Features:
    """Items of one block look alike; the last one is unknown."""
    found = np.eye(BLOCKS, 6, dtype=np.float32)[np.arange(n) % BLOCKS]
    found += np.random.default_rng(0).normal(0, 0.1, found.shape).astype(np.float32)
    found[-1] = np.nan
    return Features({"look": Vector(found)})


@pytest.fixture(scope="module")
def train():
    """Items 0 and 16 of block 0 were never taken."""
    warm = DATA.train_valid.item % 16 != 0
    found = DATA.train_valid
    return replace(
        found, user=found.user[warm], item=found.item[warm], timestamp=found.timestamp[warm],
        user_features=None, item_features=looks(found.n_items),
    )  # fmt: skip


@pytest.fixture(scope="module")
def model(train):
    found = InfoNCE(**SMALL)
    found.fit(train, DATA.valid, 0)
    return found


def test_cold_and_new_items_stand_where_they_look_like(model, train) -> None:
    check_looks(model, train)


def test_from_data_to_trained_towers_there_is_one_copy(model, train) -> None:
    (rows,) = model.towers.item_rows.vectors
    assert rows.data_ptr() == train.item_features["look"].vectors.ctypes.data
    assert not any("rows" in name for name in model.towers.changing_state())
    assert not any(
        "vectors_0" in name for name in Trainer(model._settings, model.pair_loss, train, 0).state()[1]
    )


def test_saved_and_loaded_it_answers_as_before(model, train, tmp_path) -> None:
    model.save(tmp_path)
    again = InfoNCE.load(tmp_path)
    assert np.array_equal(again.encode_items(), model.encode_items())
    features = train.item_features
    assert np.array_equal(again.encode_new_items(features), model.encode_new_items(features))


def test_on_a_gpu_they_take_memory_and_beside_it_none(train, monkeypatch) -> None:
    wide = replace(
        train, item_features=Features({"look": Vector(np.zeros((train.n_items, 1024), np.float32))})
    )
    settings = InfoNCE(**SMALL).resolved(train, None)
    here = memory.needed(settings, wide)
    monkeypatch.setattr(type(memory.compute.device()), "shares_main_memory", False)
    assert memory.needed(settings, wide) - here >= train.n_items * 1024 * 4


def test_the_contract_holds() -> None:
    check_model(InfoNCE, features=True, epochs=4)
