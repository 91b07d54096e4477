"""Towers with features: cold items, new items, strangers, and what cannot be used."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.planted import BLOCKS, planted
from retrieval_leaderboard.neural import DssmBce, InfoNCE, SimpleX
from retrieval_leaderboard.support.errors import InputError

DATA = planted()
SMALL = {"embedding_dim": 16, "batch_size": 16, "negatives": 24, "epochs": 40, "features": True}
WARM = DATA.train_valid.item % 16 != 0


def cold_items():
    """Training data in which items 0 and 16 of block 0 were never taken."""
    train = DATA.train_valid
    return replace(train, user=train.user[WARM], item=train.item[WARM], timestamp=train.timestamp[WARM])


def of_block(*blocks: int) -> Features:
    codes = np.array(blocks, dtype=np.int32)
    return Features({"block": Categorical(codes, DATA.train.item_features["block"].vocabulary)})


def asked(user: int, history: list[int], features: Features | None = None) -> Queries:
    rows = Ragged.from_rows([np.array(history, dtype=np.int32)])
    return Queries(np.array([user], dtype=np.int32), rows, rows, Ragged.empty(1), user_features=features)


def blocks_of(model, queries: Queries) -> list[int]:
    """Of each query, the block whose items score highest on average."""
    scores = model.encode_queries(queries) @ model.encode_items().T  # (queries, items)
    return scores.reshape(len(queries), -1, BLOCKS).mean(axis=1).argmax(axis=1).tolist()


@pytest.fixture(scope="module", params=[
    (InfoNCE, {}),
    (InfoNCE, {"mlp": "16", "interaction": "cross", "norm": "layer", "id_dropout": 0.3}),
    (DssmBce, {"mlp": "16", "interaction": "fm", "norm": "batch", "dropout": 0.1}),
    (SimpleX, {"history_encoder": "user_attention", "user_share": 0.2}),
    (InfoNCE, {"history_encoder": "self_attention", "max_history": 4}),
], ids=str)  # fmt: skip
def model(request):
    model_class, settings = request.param
    found = model_class(**(SMALL | settings))
    found.fit(cold_items(), None, 0)
    return found


def test_cold_items_stand_with_their_kind(model) -> None:
    vectors = model.encode_items()
    near = vectors[0] @ vectors.T
    assert near[[4, 8, 12]].mean() > near[[1, 2, 3, 5, 6, 7]].mean() + 0.2
    assert model.reaches_cold_items


def test_a_new_item_is_placed_by_its_features(model) -> None:
    new = model.encode_new_items(of_block(1, 3))
    for vector, block in zip(new, (0, 2), strict=True):
        near = model.encode_items() @ vector
        assert set((np.argsort(-near)[:4] % BLOCKS).tolist()) == {block}


def test_a_stranger_is_served_by_history_or_by_profile(model) -> None:
    assert blocks_of(model, asked(-1, [2, 6])) == [2]
    assert blocks_of(model, asked(-1, [], of_block(2))) == [1]
    mixed = Queries(
        np.array([2, -1], dtype=np.int32), Ragged.empty(2), Ragged.empty(2), Ragged.empty(2),
        user_features=of_block(4, 4),
    )  # fmt: skip
    # Of a known user the own profile counts, whatever is given.
    alone = [model.encode_queries(each)[0] for each in (asked(2, []), asked(-1, [], of_block(4)))]
    np.testing.assert_allclose(model.encode_queries(mixed), alone, atol=1e-6)


def test_of_whom_nothing_is_known_the_query_is_the_mean_user(model) -> None:
    for nobody in (asked(-1, []), asked(-1, [], of_block(0))):
        assert np.array_equal(model.encode_queries(nobody)[0], model.default_vector_)


def test_saved_and_loaded_it_answers_as_before(model, tmp_path) -> None:
    model.save(tmp_path)
    again = type(model).load(tmp_path)
    stranger = asked(-1, [3], of_block(2))
    assert np.array_equal(again.encode_queries(DATA.test), model.encode_queries(DATA.test))
    assert np.array_equal(again.encode_queries(stranger), model.encode_queries(stranger))
    assert np.array_equal(again.encode_new_items(of_block(2)), model.encode_new_items(of_block(2)))


def test_a_missing_column_is_named(model) -> None:
    with pytest.raises(InputError, match="feature column 'block' is missing"):
        model.encode_new_items(Features())


def test_popularity_lengthens_the_vectors_that_rank() -> None:
    plain, scaled = (InfoNCE(**(SMALL | {"epochs": 2, "popularity_exponent": each})) for each in (0.0, 0.5))
    train = replace(DATA.train, user=DATA.train.user[4:], item=DATA.train.item[4:], timestamp=None)
    for model in (plain, scaled):
        model.fit(train, None, 0)
    counts = train.item_counts
    assert len(set(counts.tolist())) > 1
    expected = plain.encode_items() * np.sqrt(counts / counts.mean())[:, None]
    np.testing.assert_allclose(scaled.encode_items(), expected, rtol=1e-5)
    new = plain.encode_new_items(of_block(1)) / np.sqrt(counts.mean())
    np.testing.assert_allclose(scaled.encode_new_items(of_block(1)), new, rtol=1e-5)
    np.testing.assert_array_equal(plain.encode_queries(DATA.test), scaled.encode_queries(DATA.test))


def test_without_features_a_new_item_cannot_be_placed() -> None:
    model = InfoNCE(**(SMALL | {"features": False, "epochs": 1}))
    model.fit(DATA.train, None, 0)
    assert not model.reaches_cold_items
    with pytest.raises(InputError, match=r"--set infonce\.features=true"):
        model.encode_new_items(of_block(1))


def test_the_hour_decides_where_it_is_all_there_is_to_know() -> None:
    # Whoever comes at hour 3 takes an item of block 0, whoever comes at hour 15 one of block 2.
    rng = np.random.default_rng(0)
    n_users, length = 60, 6
    early = rng.random((n_users, length)) < 0.5
    item = np.where(early, 0, 2) + BLOCKS * rng.integers(0, 8, (n_users, length))
    day = 86_400 * np.arange(length)
    moment = day + 3600 * np.where(early, 3, 15)
    train = replace(
        DATA.train, user=np.repeat(np.arange(n_users, dtype=np.int32), length),
        item=item.ravel().astype(np.int32), timestamp=moment.ravel(), n_users=n_users,
    )  # fmt: skip
    settings = SMALL | {"features": False, "examples": "interaction", "context": True}
    model = InfoNCE(**settings)
    model.fit(train, None, 0)
    for hour, block in ((3, 0), (15, 2)):
        query = replace(asked(-1, [0, 2]), timestamp=np.array([86_400 * 9 + 3600 * hour]))
        assert blocks_of(model, query) == [block]
    with pytest.raises(InputError, match="context needs a dataset with times and training examples per"):
        InfoNCE(**(settings | {"examples": "user"})).fit(train, None, 0)


def test_the_placement_decides_where_it_is_all_there_is_to_know() -> None:
    # Who comes at place "a" takes an item of block 1, who comes at "b" one of block 3; nobody has a time.
    rng = np.random.default_rng(0)
    n_users, length = 60, 6
    place = rng.integers(1, 3, n_users * length).astype(np.int32)
    item = np.where(place == 1, 1, 3) + BLOCKS * rng.integers(0, 8, len(place))
    context = Features({"pid": Categorical(place, ["unknown", "a", "b"])})
    train = replace(
        DATA.train, user=np.repeat(np.arange(n_users, dtype=np.int32), length), item=item.astype(np.int32),
        timestamp=None, n_users=n_users, context=context,
    )  # fmt: skip
    model = InfoNCE(**(SMALL | {"features": False, "examples": "interaction", "context": True}))
    model.fit(train, None, 0)
    for code, block in ((1, 1), (2, 3)):
        query = replace(
            asked(-1, [1, 3]), context=Features({"pid": Categorical(np.array([code], dtype=np.int32))})
        )
        assert blocks_of(model, query) == [block]
    untold, unheard_of = (
        replace(asked(-1, [1, 3]), context=context)
        for context in (None, Features({"pid": Categorical(np.array([9], dtype=np.int32))}))
    )
    np.testing.assert_array_equal(model.encode_queries(untold), model.encode_queries(unheard_of))


@pytest.mark.parametrize(("settings", "said"), [
    ({"mlp": "256x128"}, "mlp is '256x128': give widths as 256-128"),
    ({"interaction": "crost"}, "did you mean 'cross'"),
    ({"history_encoder": "meen"}, "did you mean 'mean'"),
    ({"dropout": 1.0}, "dropout is 1.0"),
    ({"user_share": 1.5}, "user_share is 1.5: give 0 or more, and no more than 1"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0: give more than 0"),
    ({"temperature": 0.0}, "temperature is 0.0: give more than 0, or auto"),
    ({"neighbors": -1}, "neighbors is -1: give 0 or more, or auto"),
    ({"epochs": 0}, "epochs is 0: give 1 or more, or auto"),
    ({"neighbor_weight": float("nan")}, "neighbor_weight is nan: give more than 0$"),
    ({"weight_decay": -1.0}, "weight_decay is -1.0: give 0 or more"),
    ({"id_dropout": -0.1}, "id_dropout is -0.1"),
    ({"history_dropout": 1.0}, "history_dropout is 1.0"),
    ({"averaging": 0.5, "mlp": "8", "norm": "batch"}, "averaging is 0.5 with norm=batch"),
], ids=str)  # fmt: skip
def test_settings_that_cannot_be_used_are_named(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        InfoNCE(**settings)
