"""What settings left to a rule come to on a training part."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import BSL, DssmBce, InfoNCE, SasRec, SimpleX, auto_settings
from retrieval_leaderboard.neural.training.popularity import EXPONENTS

DATA = planted()


def taken(users: int, each: int) -> Interactions:
    """So many users, of whom every one took the same items."""
    user = np.repeat(np.arange(users, dtype=np.int32), each)
    return Interactions(user, np.tile(np.arange(each, dtype=np.int32), users), None, users + 1, each)


@pytest.mark.parametrize(
    ("interactions", "temperature"),
    [(0, 0.2), (50_000, 0.2), (100_000, 0.1682), (800_000, 0.1), (10**6, 0.1)],
)
def test_little_data_has_a_high_temperature(interactions: int, temperature: float) -> None:
    found = auto_settings.temperature({}, taken(interactions, 1), None)
    assert found == pytest.approx(temperature, rel=1e-3)


def queries(excluded: int) -> Queries:
    """One query of user 0, with so many items that may not be returned."""
    history, nothing = Ragged.from_rows([np.array([0], np.int32)]), Ragged.empty(1)
    seen = Ragged.from_rows([np.arange(excluded, dtype=np.int32)])
    return Queries(np.zeros(1, np.int32), history, seen, nothing)


@pytest.mark.parametrize(("model", "each", "changed", "excluded", "expected"), [
    (BSL, 4, {}, 1, 0.2),
    (BSL, 5, {}, 1, 0.06),
    (InfoNCE, 4, {}, 0, 0.2),
    (InfoNCE, 5, {}, 0, 0.06),
    (SimpleX, 4, {"examples": "interaction"}, 0, 0.0),
    (SimpleX, 4, {"examples": "interaction"}, 1, 0.06),
    (BSL, 5, {"examples": "interaction"}, 1, 0.06),
    (BSL, 4, {"examples": "interaction"}, 0, 0.0),
    (BSL, 4, {"similarity": "dot"}, 1, 0.0),
    (SimpleX, 5, {"similarity": "dot"}, 1, 0.0),
    (SasRec, 5, {"similarity": "cosine"}, 1, 0.0),
    (SimpleX, 4, {"popularity_exponent": 0.1}, 1, 0.1),
])  # fmt: skip
def test_popularity_ranks_by_the_kind_of_examples_and_query(model, each, changed, excluded, expected) -> None:
    fresh = model(**changed)
    fresh.settle(taken(20, each), queries(excluded))
    assert fresh.exponent_ == expected
    fixed = "popularity_exponent" in changed or fresh.similarity == "dot"
    assert fresh.resolved_["popularity_exponent"] == (expected if fixed else "auto")
    assert fresh.exponent_ in EXPONENTS


def test_a_popularity_exponent_by_rule_ranks_as_the_same_one_given() -> None:
    small = {"epochs": 1, "batch_size": 8, "embedding_dim": 8}
    by_rule, given, plain = (SimpleX(**small, popularity_exponent=each) for each in ("auto", 0.06, 0.0))
    for each in (by_rule, given, plain):
        each.fit(DATA.train, None, 0)
    assert by_rule.resolved_["popularity_exponent"] == 0.06
    assert (by_rule.encode_items() == given.encode_items()).all()
    assert (by_rule.encode_items() != plain.encode_items()).any()


@pytest.mark.parametrize("model", [InfoNCE, DssmBce, BSL])
def test_a_given_temperature_is_the_same_training_as_one_by_rule(model) -> None:
    small = {"epochs": 1, "batch_size": 8, "embedding_dim": 8}
    by_rule, given = (
        model(**small),
        model(**small, temperature=auto_settings.temperature({}, DATA.train, None)),
    )
    for each in (by_rule, given):
        each.fit(DATA.train, None, 0)
    assert (by_rule.encode_items() == given.encode_items()).all()
    assert by_rule.temperature == "auto" != by_rule.resolved_["temperature"] == given.temperature


@pytest.mark.parametrize(
    "truths, ordered, expected",
    [([1], True, "interaction"), ([2], True, "user"), ([1, 2], True, "user"), ([1], False, "user")],
)
def test_examples_follow_the_kind_of_query(truths: list[int], ordered: bool, expected: str) -> None:
    lengths = np.resize(truths, len(DATA.valid))
    queries = replace(DATA.valid, relevant=Ragged.from_rows([np.arange(n, dtype=np.int32) for n in lengths]))
    train = replace(DATA.train, ordered=ordered)
    model = SimpleX(epochs=1, embedding_dim=8)
    assert model.resolve(train, queries)["examples"] == expected
    assert model.resolve(train, None)["examples"] == "user"
    model.fit(train, queries, 0)
    model.fit(train, None, 0)
    assert model.resolved_["examples"] == expected


@pytest.mark.parametrize(("moved", "timed", "expected"), [
    (0, True, "interaction"), (-(10**9), True, "user"), (0, False, "user"),
])  # fmt: skip
def test_only_queries_that_come_after_the_history_ask_what_comes_next(moved, timed, expected) -> None:
    assert DATA.valid.timestamp is not None
    truths = DATA.valid.relevant
    one = replace(truths, stop=truths.start + 1)
    asked = DATA.valid.timestamp.copy()
    asked[-1:] += moved
    valid = replace(DATA.valid, relevant=one, timestamp=asked if timed else None)
    assert InfoNCE().resolve(DATA.train, valid)["examples"] == expected


def test_a_validation_part_without_a_query_is_none() -> None:
    train = replace(taken(20, 4), ordered=True)
    assert InfoNCE().resolve(train, queries(1).take(slice(0, 0)))["examples"] == "user"
    model = InfoNCE(epochs=2)
    harness.fit(model, replace(DATA, valid=DATA.valid.take(slice(0, 0))), seed=0)
    assert model.choosing_log == [] and model.resolved_["popularity_exponent"] != "auto"


def test_features_asked_for_where_there_are_none_change_nothing() -> None:
    train = taken(30, 4)
    asked, plain = (BSL(features=features).resolve(train, queries(1)) for features in (True, False))
    assert asked | {"features": False} == plain
    assert (plain["id_dropout"], plain["neighbors"], plain["negative_weight"]) == (0.0, 20, 1.1)


@pytest.mark.parametrize(("settings", "examples", "excluded", "k"), [
    ({}, "user", 0, auto_settings.NEIGHBORS),
    ({}, "user", 1, auto_settings.NEIGHBORS),
    ({}, "interaction", 0, 0),
    ({}, "interaction", 1, auto_settings.NEIGHBORS),
    ({"features": True}, "user", 1, auto_settings.NEIGHBORS),
    ({"neighbors": 0}, "user", 1, 0),
    ({"neighbors": 7}, "interaction", 0, 7),
], ids=str)  # fmt: skip
def test_neighbors_are_for_items_that_are_new_to_their_users(
    settings: dict, examples: str, excluded: int, k: int
) -> None:
    model = InfoNCE(**settings, examples=examples)
    assert model.resolve(taken(2, 3), queries(excluded))["neighbors"] == k
    assert SasRec(**settings).resolve(taken(2, 3), queries(excluded))["neighbors"] == settings.get(
        "neighbors", 0
    )


def described(train: Interactions, side: str = "item_features") -> Interactions:
    """The same, whose items or users are of one kind."""
    rows = train.n_items if side == "item_features" else train.n_users
    kind = Categorical(np.zeros(rows, np.int32), ["kind"])
    return replace(train, **{side: Features({"kind": kind})})


FEW = auto_settings.FEW_INTERACTIONS_AN_ITEM


@pytest.mark.parametrize(("each_item", "side", "given", "features", "id_dropout", "neighbors"), [
    (FEW - 1, "item_features", {}, True, auto_settings.SOME_IDS, auto_settings.NEIGHBORS),
    (FEW, "item_features", {}, False, 0.0, auto_settings.NEIGHBORS),
    (FEW - 1, "user_features", {}, False, 0.0, auto_settings.NEIGHBORS),
    (FEW - 1, "item_features", {"features": False}, False, 0.0, auto_settings.NEIGHBORS),
    (FEW - 1, "user_features", {"features": True}, True, auto_settings.SOME_IDS, auto_settings.NEIGHBORS),
    (FEW, "item_features", {"features": True}, True, 0.0, 0),
    (FEW - 1, "item_features", {"id_dropout": 0.1, "neighbors": 3}, True, 0.1, 3),
])  # fmt: skip
def test_items_with_few_interactions_are_known_by_their_features(
    each_item: int, side: str, given: dict, features: bool, id_dropout: float, neighbors: int
) -> None:
    train = described(taken(each_item, 3), side)
    resolved = InfoNCE(**given, examples="user").resolve(train, queries(1))
    told = {"features": features, "id_dropout": id_dropout, "neighbors": neighbors}
    assert {name: resolved[name] for name in told} == told
    of_ids = SasRec().resolve(train, queries(1))
    assert (of_ids["features"], of_ids["id_dropout"]) == (False, 0.0)


@pytest.mark.parametrize(("dropout", "length", "expected"), [
    ("auto", auto_settings.MANY_INTERACTIONS_A_USER, 0.2),
    ("auto", auto_settings.MANY_INTERACTIONS_A_USER - 1, 0.5),
    (0.1, 2, 0.1),
])  # fmt: skip
def test_sequences_of_sparse_data_have_much_dropout(dropout, length: int, expected: float) -> None:
    assert SasRec(dropout=dropout).resolve(taken(2, length), None)["dropout"] == expected


@pytest.mark.parametrize(("model", "examples", "missing", "expected"), [
    (InfoNCE(), "interaction", 0, "self_attention"),
    (InfoNCE(), "interaction", 1, "position_weighted"),
    (InfoNCE(), "user", 0, "mean"),
    (SimpleX(), "interaction", 0, "position_weighted"),
    (SimpleX(history_encoder="self_attention"), "user", 1, "self_attention"),
    (InfoNCE(history_encoder="mean"), "interaction", 0, "mean"),
    (InfoNCE(), "sequence", 1, "causal"),
    (SimpleX(), "sequence", 1, "causal"),
    (SasRec(), "auto", 1, "causal"),
])  # fmt: skip
def test_histories_in_order_are_attended_to_where_there_is_much(
    model, examples: str, missing: int, expected: str, monkeypatch
) -> None:
    monkeypatch.setattr(auto_settings, "ATTENTION_INTERACTIONS", len(DATA.train) + missing)
    model = replace(model, examples=examples)
    assert model.resolve(DATA.train, None)["history_encoder"] == expected


@pytest.mark.parametrize(("epochs", "examples", "expected"), [
    (7, 1, 7),  # as set
    ("auto", 350, 10),  # as many as come to 3,500 steps
    ("auto", 349, 11),
    ("auto", 3500, 4),
    ("auto", 1, 60),
    ("auto", 0, 60),
])  # fmt: skip
def test_epochs_come_to_a_number_of_steps(epochs, examples: int, expected: int) -> None:
    assert InfoNCE(epochs=epochs, batch_size=1).resolve(taken(examples, 2), None)["epochs"] == expected
    in_batches = InfoNCE(epochs=epochs, batch_size=2).resolve(taken(max(0, 2 * examples - 1), 2), None)
    assert in_batches["epochs"] == expected


@pytest.mark.parametrize("settings", [
    {},
    {"user_share": 0.2},
    {"features": True},
    {"examples": "interaction"},
    {"examples": "interaction", "user_share": 1.0},
    {"examples": "interaction", "features": True},
    {"examples": "sequence", "max_history": 2},
    {"examples": "sequence", "max_history": 1, "user_share": 1.0},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("described", [False, True])
def test_the_rule_counts_the_examples_that_are_trained_on(settings: dict, described: bool) -> None:
    from tests.neural.trainers import trainer_of

    log = taken(20, 3)
    once = replace(log, user=log.user[2:], item=log.item[2:])  # User 0 has one item, the last one none.
    features = Features({"age": Categorical(np.zeros(log.n_users, np.int32), ["unknown"])})
    train = replace(once, user_features=features if described else None)
    model = InfoNCE(**settings)
    found = auto_settings.n_examples(model.resolve(train, None), train)
    assert found == len(trainer_of(model, train, 0).examples())


def test_both_fits_have_what_was_resolved_on_the_training_part(monkeypatch) -> None:
    """Where the larger data of the last fit would come to other settings."""
    monkeypatch.setattr(auto_settings, "ATTENTION_INTERACTIONS", len(DATA.train) + 1)
    monkeypatch.setattr(auto_settings, "SHARP_INTERACTIONS", 8 * len(DATA.train))
    model = InfoNCE(embedding_dim=8, batch_size=16, examples="interaction")
    expected = model.resolve(DATA.train, DATA.valid)
    other = model.resolve(DATA.train_valid, None)
    differ = {name for name in expected if expected[name] != other[name]}
    assert {"temperature", "history_encoder"} <= differ
    harness.fit(model, DATA, 0)
    assert model.resolved_ == expected
    assert model.towers.settings.history_encoder == expected["history_encoder"]


@pytest.mark.parametrize(("features", "examples", "expected"), [
    (True, "user", "128"), (True, "interaction", ""), (False, "user", ""),
])  # fmt: skip
def test_features_bring_a_deep_part_for_examples_per_user(features, examples, expected) -> None:
    model = InfoNCE(features=features, examples=examples)
    assert model.resolve(planted().train, None)["mlp"] == expected
    dense = replace(planted().train, n_items=2)
    assert model.resolve(dense, None)["mlp"] == ""
    bare = replace(planted().train, user_features=None, item_features=None)
    assert model.resolve(bare, None)["mlp"] == ""
    assert SimpleX(features=features, examples=examples).resolve(planted().train, None)["mlp"] == ""


def test_without_features_a_run_is_known_by_the_same_settings_as_ever() -> None:
    assert settings.read(InfoNCE, {"features": False, "mlp": "auto"}, "x")["mlp"] == ""
    assert (
        settings.defaults(InfoNCE)["mlp"]
        == settings.read(InfoNCE, {"features": "auto"}, "x")["mlp"]
        == "auto"
    )
    assert settings.read(InfoNCE, {"features": True}, "x")["mlp"] == "auto"
    assert settings.read(InfoNCE, {"features": True, "mlp": ""}, "x")["mlp"] == ""


def test_what_nothing_reads_makes_no_row_of_its_own() -> None:
    ids, drawn = {"features": False}, {"negative_exponent": 0.5}
    assert settings.read(InfoNCE, ids | {"norm": "layer"}, "x") == settings.read(InfoNCE, ids, "x")
    assert settings.read(InfoNCE, {"norm": "layer", "mlp": "8"}, "x")["norm"] == "layer"
    in_batch = {"negatives": 0, "in_batch": True}
    assert settings.read(InfoNCE, in_batch | drawn, "x") == settings.read(InfoNCE, in_batch, "x")
    assert settings.read(InfoNCE, drawn, "x")["negative_exponent"] == 0.5
    assert InfoNCE(features=False, norm="layer").norm == "none"
