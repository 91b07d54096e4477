from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets import Queries, Ragged
from retrieval_leaderboard.serving.export import onnx_towers
from retrieval_leaderboard.serving.export.towers import ItemTower, UserTower


@pytest.fixture
def asked(dataset):
    """Long and short histories, some with an item twice, some of strangers, some empty."""
    histories = [row[: n % 12] for n, row in enumerate(dataset.train_valid.by_user.take(np.arange(30)))]
    histories[5] = np.concatenate([histories[5], histories[5]])
    users = np.arange(30, dtype=np.int32)
    users[::4] = -1
    rows, nothing = Ragged.from_rows(histories), Ragged.empty(30)
    moments = 3600 * np.arange(30)
    context = dataset.train_valid.queries(np.arange(30)).context
    return Queries(users, rows, nothing, nothing, moments, context=context)


def vectors_of(model, asked):
    user = UserTower(model).eval()
    inputs = {name: torch.from_numpy(each) for name, each in onnx_towers.inputs_of(user, asked).items()}
    with torch.no_grad():
        return user(**inputs).numpy()


def test_padded_queries_give_the_vectors_of_the_model(model, asked):
    expected = model.encode_queries(asked)
    assert len(np.unique(expected.round(6), axis=0)) > 10
    assert np.allclose(vectors_of(model, asked), expected, atol=1e-6)


def test_items_give_the_vectors_of_the_model(model, dataset):
    tower = ItemTower(model, torch.from_numpy(model.item_scale(dataset.train_valid))).eval()
    with torch.no_grad():
        found = tower(torch.arange(dataset.train_valid.n_items)).numpy()
    assert np.allclose(found, model.encode_items(), atol=1e-6)


def test_more_padding_changes_nothing(model, asked):
    user = UserTower(model).eval()
    inputs = {name: torch.from_numpy(each) for name, each in onnx_towers.inputs_of(user, asked).items()}
    with torch.no_grad():
        before = user(**inputs)
        if "history" in inputs:
            inputs["history"] = torch.nn.functional.pad(inputs["history"], (9, 0), value=-1)
        assert torch.allclose(user(**inputs), before, atol=1e-6)


def test_a_history_ends_in_the_last_place():
    found = onnx_towers.padded(Ragged.from_rows([[3, 1, 2], [], [7]]))
    assert found.tolist() == [[3, 1, 2], [-1, -1, -1], [-1, -1, 7]]
    assert onnx_towers.padded(Ragged.empty(2)).tolist() == [[-1], [-1]]


def test_what_is_checked_has_strangers_and_empty_histories(dataset):
    some, one, strangers, nothing = onnx_towers._checked(replace(dataset))
    assert len(one) == 1 and (some.user >= 0).all() and some.history.lengths.all()
    assert (strangers.user == -1).all() and strangers.history.lengths.all()
    assert (nothing.user == -1).all() and not nothing.history.lengths.any()
