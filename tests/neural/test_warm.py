"""Towers that go on from earlier ones."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import saving
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural.infonce import InfoNCE

SETTINGS = {"embedding_dim": 8, "epochs": 3, "learning_rate": 0.01, "features": False}


def fitted(data, **settings):
    model = InfoNCE(**SETTINGS | settings)
    harness.fit(model, data, seed=0)
    return model


def warm(earlier, now, then, **settings):
    model = replace(earlier, **earlier.resolve(then.train, then.valid) | settings)
    harness.warm_start(model, earlier, then, now, seed=1)
    return model


@pytest.mark.parametrize("neighbors", [0, 3])
def test_without_steps_worth_mentioning_all_is_as_it_was(neighbors):
    data = planted()
    earlier = fitted(data, neighbors=neighbors, user_share=0.2)
    later = warm(earlier, data, data, learning_rate=1e-12)
    np.testing.assert_allclose(later.encode_items(), earlier.encode_items(), atol=1e-5)
    np.testing.assert_allclose(later.encode_queries(data.test), earlier.encode_queries(data.test), atol=1e-5)


def test_rows_follow_raw_ids():
    data = planted()
    earlier = fitted(data, neighbors=0)
    turned = np.roll(data.item_ids, 1)
    found = Earlier.of(earlier, data, replace(data, item_ids=turned))
    np.testing.assert_array_equal(data.item_ids[found.item], turned)
    later = replace(earlier, **earlier.resolve(data.train, data.valid) | {"learning_rate": 1e-12})
    later.warm_start(found, found.train, seed=1)
    np.testing.assert_allclose(later.encode_items(), np.roll(earlier.encode_items(), 1, axis=0), atol=1e-5)


def test_it_trains_for_the_epochs_that_are_set_and_survives_saving(tmp_path):
    data = planted()
    earlier = fitted(data)
    earlier.save(tmp_path)
    later = warm(InfoNCE.load(tmp_path), data, data, epochs=2)
    assert [each["epoch"] for each in later.training_log] == [1, 2]
    assert np.abs(later.encode_items() - earlier.encode_items()).max() > 1e-3


def with_values(data, renamed):
    """`data` whose items' categories are called otherwise, and so have other codes."""

    def turned(column):
        names = [column.vocabulary[0], *sorted(renamed.get(name, name) for name in column.vocabulary[1:])]
        code = np.array([names.index(renamed.get(name, name)) for name in column.vocabulary], np.int32)
        return Categorical(code[column.codes], names)

    def anew(train):
        columns = train.item_features.columns
        changed = {
            name: turned(each) if each.kind == "categorical" else each for name, each in columns.items()
        }
        return replace(train, item_features=Features(changed))

    return replace(data, train=anew(data.train), train_valid=anew(data.train_valid))


def test_values_of_features_are_known_by_name():
    data = planted()
    (name, *_) = [
        name for name, each in data.train.item_features.columns.items() if each.kind == "categorical"
    ]
    values = data.train.item_features[name].vocabulary[1:]
    assert len(values) > 1
    earlier = fitted(data, features=True)
    same = warm(earlier, data, data, learning_rate=1e-12).encode_items()
    np.testing.assert_allclose(same, earlier.encode_items(), atol=1e-5)

    # One value is new, and its name moves the codes of the others or does not.
    column = data.train.item_features[name]
    others = column.codes != column.vocabulary.index(values[-1])
    for new in ("a new one", "z new one", "0"):
        renamed = with_values(data, {values[-1]: new})
        found = warm(earlier, renamed, data, learning_rate=1e-12).encode_items()
        np.testing.assert_allclose(found[others], same[others], atol=1e-5)
        assert np.abs(found[~others] - same[~others]).max() > 1e-3


def test_features_that_other_data_lacks_are_named(tmp_path):
    data = planted()
    model = InfoNCE(**SETTINGS | {"features": True, "epochs": 1})
    harness.fit(model, data, seed=0)
    model.save(tmp_path)
    kept, train = saving.values(tmp_path), data.train_valid
    assert InfoNCE.lacks(kept, train) == ""
    names = sorted(train.item_features.columns)
    assert names
    sentence = InfoNCE.lacks(kept, replace(train, item_features=None))
    assert all(f"{name} ({train.item_features[name].kind})" in sentence for name in names)
    assert "give them by --items or --item-vectors" in sentence
