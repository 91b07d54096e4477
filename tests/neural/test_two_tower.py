import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.neural import MODELS, InfoNCE, SasRec, SimpleX, tower_vectors
from retrieval_leaderboard.neural.training.optimizer import LOW_RATE
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError
from tests.neural.blocks import HELD_OUT, ITEMS, SMALL, blocks, interactions
from tests.neural.trainers import trainer_of


def recall(model: TwoTower, queries: Queries, k: int = HELD_OUT) -> float:
    items, _ = model.recommend(queries, k)
    return float(measure.per_query(items, queries.relevant, k)["recall"].mean())


@pytest.fixture
def precision(monkeypatch: pytest.MonkeyPatch):
    def choose(name: str) -> None:
        monkeypatch.setattr(compute, "_current", compute.Compute(1, "cpu", name))

    return choose


@pytest.mark.parametrize("model_class", MODELS)
def test_the_held_out_items_of_the_users_block_come_first(model_class: type[TwoTower]) -> None:
    train, queries = blocks(ordered=model_class is SasRec)
    model = model_class(**SMALL)
    model.fit(train, queries, 0)
    assert recall(model, queries) > 0.97
    losses = [epoch["loss"] for epoch in model.training_log]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("model_class", MODELS)
@pytest.mark.parametrize("settings", [
    {"examples": "interaction", "max_history": 3},
    {"user_share": 0.5},
    {"user_share": 1.0},
    {"shared_history": True},
    {"neighbors": 3},
    {"neighbors": 3, "examples": "interaction", "shared_history": True},
    {"examples": "interaction", "history_encoder": "self_attention", "max_history": 4},
    {"examples": "sequence", "history_encoder": "causal", "max_history": 4, "neighbors": 0},
    {"examples": "interaction", "history_encoder": "causal", "max_history": 4},
    {"similarity": "dot"},
    {"negative_exponent": 0.75},
], ids=str)  # fmt: skip
def test_every_setting_learns(model_class: type[TwoTower], settings: dict) -> None:
    train, queries = blocks(ordered=True)
    model = model_class(**(SMALL | settings))
    model.fit(train, queries, 0)
    assert recall(model, queries) > 0.8


def test_matrices_of_self_attention_learn_at_a_share_of_the_rate() -> None:
    trainer = trainer_of(InfoNCE(history_encoder="self_attention", **SMALL), blocks()[0], 0)
    names = [name for name, _ in trainer.towers.named_parameters()]
    shares = {
        (name.startswith("encoder."), share)
        for name, share in zip(names, trainer.optimizer.shares, strict=True)
    }
    assert shares == {(True, LOW_RATE), (False, 1.0)}


@pytest.mark.parametrize("name", ["bf16", "fp16"])
@pytest.mark.parametrize("model_class", MODELS)
def test_mixed_precision_learns_too(model_class: type[TwoTower], name: str, precision) -> None:
    precision(name)
    train, queries = blocks(ordered=model_class is SasRec)
    model = model_class(**SMALL)
    model.fit(train, queries, 0)
    losses = np.array([epoch["loss"] for epoch in model.training_log])
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    assert recall(model, queries) > 0.95


def test_the_same_seed_gives_the_same_vectors() -> None:
    train, queries = blocks()

    def vectors(seed: int) -> np.ndarray:
        model = InfoNCE(**(SMALL | {"epochs": 2}))
        model.fit(train, queries, seed)
        return model.encode_queries(queries)

    assert np.array_equal(vectors(3), vectors(3))
    assert not np.array_equal(vectors(3), vectors(4))


@pytest.mark.parametrize("settings", [{}, {"user_share": 0.5}, {"examples": "interaction"}], ids=str)
def test_saving_and_loading_gives_the_same_lists(settings: dict, tmp_path: Path) -> None:
    train, queries = blocks()
    model = SimpleX(**(SMALL | {"epochs": 2} | settings))
    model.fit(train, queries, 0)
    model.save(tmp_path)
    again = SimpleX.load(tmp_path)
    for ours, theirs in zip(model.recommend(queries, 5), again.recommend(queries, 5), strict=True):
        assert np.array_equal(ours, theirs)
    assert again.parameters == model.parameters > 0


def one_query(user: int, history: list[int]) -> Queries:
    rows = Ragged.from_rows([np.array(history, dtype=np.int32)])
    return Queries(np.array([user], dtype=np.int32), rows, rows, Ragged.empty(1))


@pytest.mark.parametrize("change", [{"history_encoder": "self_attention"}, {"gone": 1}], ids=str)
def test_a_model_saved_by_another_version_is_named(change: dict) -> None:
    train, _ = blocks()
    model = InfoNCE(**(SMALL | {"epochs": 1}))
    model.fit(train, None, 0)
    for stored in (model.resolved_, model.columns_):
        stored |= change
    model._towers = None
    with pytest.raises(InputError, match="infonce was saved by another version"):
        model.towers.eval()


def test_a_model_saved_with_other_settings_is_named(tmp_path: Path) -> None:
    train, _ = blocks()
    model = InfoNCE(**(SMALL | {"epochs": 1}))
    model.fit(train, None, 0)
    model.save(tmp_path)
    state = tmp_path / "model.json"
    state.write_text(state.read_text().replace('"embedding_dim"', '"dimensions"'))
    with pytest.raises(InputError, match="saved by another version of infonce, with other settings"):
        InfoNCE.load(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_stranger_is_served_by_history_alone(share: float) -> None:
    train, queries = blocks()
    model = InfoNCE(**(SMALL | {"user_share": share}))
    model.fit(train, queries, 0)
    items, _ = model.recommend(one_query(-1, [20, 21, 22]), 5)
    assert set(items[0] // ITEMS) == {2}


def test_of_an_unknown_user_without_history_the_query_is_the_mean_user() -> None:
    train, queries = blocks()
    model = InfoNCE(**(SMALL | {"user_share": 0.3, "epochs": 2}))
    model.fit(train, queries, 0)
    users = Queries(queries.user, train.by_user, train.by_user, queries.relevant)
    mean = model.encode_queries(users).mean(axis=0)
    np.testing.assert_allclose(model.encode_queries(one_query(-1, []))[0], mean, rtol=1e-5)


def test_users_and_items_without_training_interactions_count_as_zero() -> None:
    train, _ = blocks()
    wider = replace(train, n_users=train.n_users + 1, n_items=train.n_items + 1)
    model = InfoNCE(**(SMALL | {"user_share": 0.5, "epochs": 2}))
    model.fit(wider, None, 0)
    assert not model.encode_items()[-1].any()
    known, cold = one_query(-1, [1, 2]), one_query(train.n_users, [1, 2, train.n_items])
    np.testing.assert_allclose(model.encode_queries(known), model.encode_queries(cold), rtol=1e-4, atol=1e-6)


def test_features_serve_cold_users_and_items() -> None:
    from retrieval_leaderboard.evaluation.planted import planted

    data: Dataset = planted()
    train = data.train_valid
    warm = train.item % 16 != 0
    train = replace(train, user=train.user[warm], item=train.item[warm])
    model = InfoNCE(**(SMALL | {"features": True, "epochs": 60}))
    model.fit(train, None, 0)
    # User 5 belongs to block 1; nothing but the feature says so where the history is empty.
    items, _ = model.recommend(one_query(5, []), 4)
    assert set(items[0] % 4) == {1}
    vectors = model.encode_items()
    cold = vectors[0] @ vectors.T
    assert cold[[4, 8, 12]].min() > cold[[1, 2, 3]].max()


def test_negatives_of_the_whole_catalog_teach_that_cold_items_are_rare_answers() -> None:
    from retrieval_leaderboard.evaluation.planted import planted

    train = planted().train_valid
    warm = train.item % 16 < 4
    train = replace(train, user=train.user[warm], item=train.item[warm])
    cold = train.item_counts == 0
    share = {}
    for wanted in (False, True):
        by_features = {"features": True, "neighbors": 0, "id_dropout": 0.0, "epochs": 30}
        model = InfoNCE(**(SMALL | by_features | {"cold_negatives": wanted}))
        model.fit(train, None, 0)
        items, _ = model.recommend(train.queries(np.flatnonzero(train.user_counts)), 4)
        share[wanted] = cold[items].mean()
    assert share[True] < share[False] / 2


def test_a_loss_that_is_no_number_is_an_error() -> None:
    train, queries = blocks()
    model = InfoNCE(**(SMALL | {"learning_rate": float("inf")}))
    with pytest.raises(RuntimeError, match="loss is nan in epoch 1"):
        model.fit(train, queries, 0)


def test_importing_the_models_does_not_import_torch() -> None:
    code = "import retrieval_leaderboard.neural, sys; assert 'torch' not in sys.modules, 'torch'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_batches_reach_the_loss_with_their_hits_masked() -> None:
    train, _ = blocks()
    seen: list[torch.Tensor] = []

    class Spy(InfoNCE):
        def pair_loss(self, positive, negative, batch, towers):
            seen.append(negative[batch.hit_row, batch.hit_negative])
            return super().pair_loss(positive, negative, batch, towers)

    Spy(**(SMALL | {"epochs": 1})).fit(train, None, 0)
    assert all(len(hits) and (hits == -65504).all() for hits in seen)


@pytest.mark.parametrize("settings, said", [
    ({"similarity": "cosin"}, "did you mean 'cosine'"),
    ({"examples": "users"}, "did you mean 'user'"),
    ({"negatives": 0}, "negatives is 0"),
    ({"examples": "sequence", "history_encoder": "mean"}, "examples=sequence needs history_encoder=causal"),
    ({"examples": "user", "history_encoder": "causal"}, "needs the order of histories"),
    ({"history_encoder": "causal", "attention_heads": 3}, "embedding_dim is 64, no multiple of"),
], ids=str)  # fmt: skip
def test_settings_that_cannot_be_used_are_named(settings: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        SimpleX(**settings)


def test_a_transformer_is_given_so_many_items_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    train, queries = blocks(ordered=True)
    model, sizes = SasRec(**(SMALL | {"epochs": 1})), []
    model.fit(train, None, 0)
    whole, at_once = model.encode_queries(queries), model._encode_at_once
    monkeypatch.setattr(tower_vectors, "HISTORY_A_BLOCK", 7 * model.max_history)
    monkeypatch.setattr(model, "_encode_at_once", lambda part: (sizes.append(len(part)), at_once(part))[1])
    np.testing.assert_allclose(model.encode_queries(queries), whole, rtol=1e-5, atol=1e-6)
    assert sizes == [7] * (len(queries) // 7) + [len(queries) % 7]
    assert model.encode_queries(queries.take(slice(0))).shape == (0, model.embedding_dim)


def test_data_without_an_order_is_nothing_for_sequences() -> None:
    with pytest.raises(InputError, match="sasrec learns from items in time order, which this data does not"):
        SasRec(**SMALL).fit(blocks()[0], None, 0)


def test_users_of_one_item_have_nothing_to_learn_from_but_their_id() -> None:
    train = interactions([np.array([user]) for user in range(5)], 5)
    with pytest.raises(InputError, match="no user has two training interactions"):
        SimpleX(**SMALL).fit(train, None, 0)
    SimpleX(**(SMALL | {"user_share": 0.5, "epochs": 1})).fit(train, None, 0)


@pytest.mark.parametrize("examples", ["user", "interaction", "sequence"])
def test_weights_of_one_change_no_bit_and_others_do(examples: str) -> None:
    train, _ = blocks(ordered=True)
    rng = np.random.default_rng(0)
    kinds = None, np.ones(len(train), np.float32), rng.choice(np.array([1, 9], np.float32), len(train))
    vectors = []
    for weight in kinds:
        model = InfoNCE(examples=examples, epochs=1)
        model.fit(replace(train, weight=weight), None, 0)
        vectors.append(model.encode_items())
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_the_mean_user_is_that_of_users_with_interactions(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = blocks()
    monkeypatch.setattr(tower_vectors, "QUERIES_A_BLOCK", train.n_users)
    model = InfoNCE(**(SMALL | {"epochs": 1}))
    model.fit(replace(train, n_users=50 * train.n_users), None, 0)
    every = train.queries(np.arange(train.n_users))
    np.testing.assert_allclose(model.default_vector_, model.encode_queries(every).mean(axis=0), atol=1e-6)
