"""Lists made elsewhere: raw ids, unknown items, missing users."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.evaluation import evaluate, evaluate_lists, harness
from retrieval_leaderboard.evaluation.metrics.measure import PER_QUERY
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.support.errors import InputError

DATA = planted()
TRUTH = [str(row[0]) for row in (DATA.test.relevant[query] for query in range(len(DATA.test)))]


def test_the_truth_itself_is_perfect():
    result = evaluate_lists([[item] for item in TRUTH], DATA, k=1)
    assert {result.metrics[name] for name in PER_QUERY} == {1.0}
    assert result.metrics["coverage"] == len(set(TRUTH)) / len(DATA.item_ids)
    frame = result.frame()
    assert frame.loc["all", "ndcg"] == 1.0
    assert list(frame.columns) == ["queries", *result.metrics]
    assert frame.loc["history 3–9", "queries"] == len(DATA.test)


def test_a_model_is_not_told_the_answers():
    class Cheat(GlobalHot):
        def recommend(self, queries, k):
            assert not queries.relevant.lengths.any()
            return super().recommend(queries, k)

    model = Cheat()
    harness.fit(model, DATA, seed=0)
    assert len(evaluate(model, DATA, k=5).items) == len(DATA.test)


def test_several_lengths_are_measured_on_the_same_lists():
    model = GlobalHot()
    harness.fit(model, DATA, seed=0)
    found = evaluate(model, DATA, 5, also=(2, 9, 5))
    assert found.items.shape == (len(DATA.test), 9)
    assert (
        found.metrics == evaluate(model, DATA, 5).metrics and found.slices == evaluate(model, DATA, 5).slices
    )
    assert found.at == {k: evaluate(model, DATA, k).metrics for k in (2, 9)}
    assert found.at[2]["recall"] < found.metrics["recall"] < found.at[9]["recall"]


def test_an_unknown_item_keeps_its_place_and_a_user_without_a_list_is_a_miss():
    users = DATA.user_ids[DATA.test.user]
    given = {user: ["no such item", item] for user, item in zip(users[1:], TRUTH[1:], strict=True)}
    result = evaluate_lists(given, DATA, k=2)
    as_numbers = evaluate_lists({int(user): row for user, row in given.items()}, DATA, k=2)
    assert as_numbers.metrics == result.metrics
    assert result.per_query["map"].tolist() == [0.0] + [0.5] * (len(users) - 1)


def as_lists(kind):
    """The truth, one list a query, in another form."""
    return {
        "ints": lambda: [[int(item)] for item in TRUTH],
        "whole floats": lambda: [[float(item)] for item in TRUTH],
        "tuples": lambda: tuple((item,) for item in TRUTH),
        "text array": lambda: np.array(TRUTH)[:, None],
        "int array": lambda: np.array(TRUTH).astype(np.int32)[:, None],
        "float array": lambda: np.array(TRUTH).astype(np.float32)[:, None],
        "object array": lambda: np.array(TRUTH, dtype=object)[:, None],
        "generators": lambda: ((item for item in [item]) for item in TRUTH),
        "endless lists": lambda: (itertools.chain([item], itertools.count(10**6)) for item in TRUTH),
        "series as lists": lambda: [pd.Series([item]) for item in TRUTH],
        "mapping of ints": lambda: {
            int(user): [int(item)] for user, item in zip(DATA.user_ids[DATA.test.user], TRUTH, strict=True)
        },
        "mapping of numpy ids": lambda: {
            np.int64(user): np.array([item])
            for user, item in zip(DATA.user_ids[DATA.test.user], TRUTH, strict=True)
        },
    }[kind]()


@pytest.mark.parametrize(
    "kind",
    [
        *("ints", "whole floats", "tuples", "text array", "int array", "float array", "object array"),
        *("generators", "endless lists", "series as lists", "mapping of ints", "mapping of numpy ids"),
    ],
)
def test_ids_and_lists_of_other_types_are_understood(kind):
    assert evaluate_lists(as_lists(kind), DATA, k=1).metrics["hitrate"] == 1.0


NOT_LISTS = {
    "none known": ([["x1"], *[["x2"]] * 47], "none of the given ids is in .* planted: one is 'x1', where"),
    "pairs": ([[(TRUTH[0], 0.5)]] + [[]] * 47, r"query 0, position 1: \('\d+', 0.5\) is no raw id"),
    "array pairs": (np.zeros((48, 3, 2)), r"query 0, position 1: array\(\[0., 0.\]\) is no raw id"),
    "fractions": ([[0.5]] * 48, "query 0, position 1: 0.5 is no raw id"),
    "large floats": ([[2.0**60]] * 48, "position 1: 1.15.* is no raw id"),
    "nan": ([[TRUTH[0], float("nan")], *[[]] * 47], "query 0, position 2: nan is no raw id"),
    "None": ([[None]] * 48, "query 0, position 1: None is no raw id"),
    "bool": ([[True]] * 48, "position 1: True is no raw id"),
    "bytes": ([[b"1"]] * 48, "position 1: b'1' is no raw id"),
    "text for a list": (["12"] * 48, "query 0: the list is '12'; give a list"),
    "None for a list": ([None] * 48, "query 0: the list is None; give a list"),
    "set for a list": ([{"1"}] * 48, "query 0: the list is {'1'}; give a list"),
    "number for a list": (np.zeros(48), r"query 0: the list is .*0.0.*; give a list"),
    "text": ("1" * 48, "lists were given as str; give a mapping"),
    "nothing": (None, "lists were given as NoneType"),
    "frame": (pd.DataFrame({"item": TRUTH}), "lists were given as DataFrame"),
    "series": (pd.Series([[item] for item in TRUTH]), r"as a Series; give its to_dict\(\) if"),
    "too many": (itertools.repeat([]), "49 lists were given for 48 test queries"),
    "user as pair": ({(0, 1): ["1"]}, r"a user's id: \(0, 1\) is no raw id"),
    "user twice": ({0: ["1"], "0": ["1"]}, "two lists were given for user '0'"),
}


@pytest.mark.parametrize("kind", NOT_LISTS)
def test_what_is_no_list_of_ids_is_refused_in_one_sentence(kind):
    given, message = NOT_LISTS[kind]
    with pytest.raises(InputError, match=message) as error:
        evaluate_lists(given, DATA)
    assert "\n" not in str(error.value)


def test_lists_may_all_be_empty():
    assert evaluate_lists({}, DATA).metrics["hitrate"] == 0.0


@pytest.mark.parametrize("k", [10**9, np.int64(10**18)])
def test_k_beyond_the_catalog_is_cut_and_told(k, capsys):
    n_items = DATA.train_valid.n_items
    result = evaluate_lists([[item] for item in TRUTH], DATA, k=k)
    assert (result.k, result.items.shape[1]) == (n_items, n_items)
    assert f"to {n_items}: planted has no more items" in capsys.readouterr().out
    model = GlobalHot()
    model.fit(DATA.train_valid, None, 0)
    assert evaluate(model, DATA, k).k == n_items


@pytest.mark.parametrize("k", [0, -1, 2.5, "20", None, True, float("nan")])
def test_k_that_is_no_length_is_refused(k):
    with pytest.raises(InputError, match="give a whole number of at least 1"):
        evaluate_lists([], DATA, k=k)


def test_lists_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(harness.memory, "available", lambda: 2**16)
    evaluate_lists({}, DATA, k=1)
    with pytest.raises(InputError, match="48 lists of 30 items need about 0 MiB of memory, 0 MiB are free"):
        evaluate_lists({}, DATA, k=30)


def test_lists_that_do_not_fit_are_are_refused():
    with pytest.raises(InputError, match="2 lists were given for 48 test queries"):
        evaluate_lists([["1"], ["2"]], DATA)
    seen = str(DATA.test.exclude[0][0])
    with pytest.raises(InputError, match="an excluded item: 1 of 48 queries, first query 0"):
        evaluate_lists([[seen], *([item] for item in TRUTH[1:])], DATA)
    with pytest.raises(InputError, match="a repeated item: 48 of 48"):
        evaluate_lists([[item, item] for item in TRUTH], DATA)
    with pytest.raises(InputError, match="1 users that planted lacks, such as 'nobody'"):
        evaluate_lists({"nobody": [TRUTH[0]], 0: [TRUTH[0]]}, DATA)
    twice = dataclasses.replace(DATA, test=DATA.test.take(np.array([0, 0])))
    with pytest.raises(InputError, match="several test queries"):
        evaluate_lists({}, twice)
