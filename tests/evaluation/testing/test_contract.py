"""The contract check passes good models and names what broken ones do wrong."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from retrieval_leaderboard.evaluation.harness import evaluate, fit
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever, ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.testing import ContractError, check_model

MODELS = Path(__file__).parents[1] / "sample_models.py"


@pytest.fixture(scope="module")
def models():
    spec = importlib.util.spec_from_file_location("models_under_test", MODELS)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", registry.names())
def test_every_registered_model_keeps_it(name):
    check_model(registry.get(name))


def test_a_small_model_keeps_it(models):
    models.Popular.name = "Popular"
    check_model(models.Popular)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ReturnsNan", "recommend for ordinary queries: .*NaN"),
        (
            "ForgetsToExclude",
            "recommend for ordinary queries: .*an excluded item.*; wanted: none of the query's `exclude`",
        ),
        ("Repeats", "recommend for ordinary queries: .*a repeated item"),
        ("ReturnsListsOnly", r"it must return \(items, scores\), not ndarray"),
        (
            "Unrepeatable",
            "two fits with the same seed and settings must give the same lists; .* of 48 differ",
        ),
        ("FailsToFit", "fit: it must end without an error; raised ValueError: no fit today"),
        ("CannotBeSaved", "save and load: it must .* raised TypeError: .*int64 is not JSON"),
        ("ForgetsWhenSaved", "save and load, .* must give the same lists; "),
        ("BreaksOnWeights", "fit on interactions with weights: .* raised ValueError: what is this"),
        ("Incomplete", "class: .*recommend"),
    ],
)
def test_a_broken_model_is_named(models, name, message):
    model = getattr(models, name)
    model.name = name
    with pytest.raises(ContractError, match=message):
        check_model(model)


@pytest.mark.parametrize(
    "name", ["ByUser", "MeanForStrangers", "WithHistory", "RareUsersAsStrangers", "Tunable", "RandomCodes"]
)
def test_users_of_their_own_and_an_answer_for_strangers_keep_it(models, name):
    model = getattr(models, name)
    model.name = name
    check_model(model)


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("LastRow", 47),
        ("FirstRow", 0),
        ("RowByModulo", 47),
        ("MeanOfOneRow", 20),
        ("LastRowWithHistory", 47),
        ("LastRowWhereThereIsAHistory", 47),
    ],
)
def test_a_stranger_must_not_get_the_answer_of_one_known_user(models, name, user):
    model = getattr(models, name)
    model.name = name
    with pytest.raises(ContractError, match=f"answer of one known user, code {user} of 48: .*user_rows"):
        check_model(model)


@pytest.mark.parametrize(
    ("name", "who"),
    [("RandomForStrangers", "users unseen"), ("RandomForColdUsers", "a user without training interactions")],
)
def test_a_vector_that_was_never_learned_is_no_answer(models, name, who):
    model = getattr(models, name)
    model.name = name
    with pytest.raises(ContractError, match=f"recommend for {who}.*: .*never learned"):
        check_model(model)


@pytest.mark.parametrize("chooses", [False, True])
def test_the_last_fit_learns_from_train_and_validation(models, chooses):
    """And it has no validation queries; only a model that chooses on them was fitted before."""
    fits = []

    class Watched(models.Popular):
        chooses_on_validation = chooses

        def fit(self, train, valid, seed):
            fits.append((train, valid, seed))

    data = planted()
    fit(Watched(), data, seed=5)
    expected = [(data.train, data.valid, 5)] * chooses + [(data.train_valid, None, 5)]
    assert len(fits) == len(expected)
    assert all(each is wanted for fitted, row in zip(fits, expected, strict=True)
               for each, wanted in zip(fitted, row, strict=True))  # fmt: skip


def test_parameters_are_a_whole_number_or_are_not_told(models):
    class Tells(models.Popular):
        name, parameters = "Tells", "many"

    with pytest.raises(ContractError, match="parameters: it must be a whole number or None, not str"):
        check_model(Tells)


def test_user_rows_have_a_row_for_strangers():
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    users = np.array([2, -1, 0], dtype=np.int32)
    assert Retriever.user_rows(table, users).tolist() == [[4, 5], [0, 0], [0, 1]]
    assert Retriever.user_rows(table, users, table.mean(axis=0)).tolist() == [[4, 5], [2, 3], [0, 1]]


PERSONALISED = [name for name in registry.names() if name not in ("global_hot", "popular_window")]


@pytest.mark.parametrize("name", PERSONALISED)
def test_every_personalised_model_finds_the_planted_item(name):
    data, model = planted(), registry.get(name)()
    fit(model, data, seed=0)
    assert evaluate(model, data, k=1).metrics["recall"] > 0.95


@pytest.mark.parametrize("name", registry.names())
def test_a_saved_model_answers_as_before(name, tmp_path):
    data, model = planted(), registry.get(name)()
    fit(model, data, seed=0)
    model.save(tmp_path)
    loaded = registry.get(name).load(tmp_path)
    for before, after in zip(model.recommend(data.test, 5), loaded.recommend(data.test, 5), strict=True):
        assert (before == after).all()


@pytest.mark.parametrize("rows", [3, -1])
def test_a_vector_for_each_item(rows):
    @dataclass
    class Short(EmbeddingRetriever):
        name = "short"

        def fit(self, train, valid, seed):
            self.items_ = np.random.default_rng(seed).random((train.n_items, 4), dtype=np.float32)

        def encode_queries(self, queries):
            return np.ones((len(queries), 4), dtype=np.float32)

        def encode_items(self):
            return self.items_[:rows]

    with pytest.raises(ContractError, match=r"encode_items\(\) has the shape \[\d+, 4\], not \[\d+, d\]"):
        check_model(Short)


@pytest.mark.parametrize("name", ["../../x", "sp ace", "a.b", ""])
def test_a_name_that_could_be_no_folder_is_refused(name):
    with pytest.raises(ValueError, match="use letters, digits"):
        registry.register(name)


def test_similarities_of_all_items_with_all():
    @dataclass
    class Narrow(ItemToItemRetriever):
        name = "narrow"

        def fit(self, train, valid, seed):
            self.similarity_ = csr_array((train.n_items, train.n_items - 2), dtype=np.float32)

    with pytest.raises(ContractError, match=r"similarity_ has the shape \[\d+, \d+\], not \[\d+, \d+\]"):
        check_model(Narrow)
