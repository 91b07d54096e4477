"""Lists made elsewhere: raw ids, unknown items, missing users."""

import dataclasses

import numpy as np
import pytest

from evaluation import evaluate_lists
from evaluation.planted import planted
from support.errors import InputError

DATA = planted()
TRUTH = [str(row[0]) for row in (DATA.test.relevant[query] for query in range(len(DATA.test)))]


def test_the_truth_itself_is_perfect():
    result = evaluate_lists([[item] for item in TRUTH], DATA, k=1)
    assert result.metrics == dict.fromkeys(("precision", "recall", "map", "ndcg", "hitrate"), 1.0)
    frame = result.frame()
    assert frame.loc["all", "ndcg"] == 1.0
    assert list(frame.columns) == ["queries", *result.metrics]
    assert frame.loc["history 3–9", "queries"] == len(DATA.test)


def test_an_unknown_item_keeps_its_place_and_a_user_without_a_list_is_a_miss():
    users = DATA.user_ids[DATA.test.user]
    given = {user: ["no such item", item] for user, item in zip(users[1:], TRUTH[1:], strict=True)}
    result = evaluate_lists(given, DATA, k=2)
    as_numbers = evaluate_lists({int(user): row for user, row in given.items()}, DATA, k=2)
    assert as_numbers.metrics == result.metrics
    assert result.per_query["map"].tolist() == [0.0] + [0.5] * (len(users) - 1)


def test_lists_that_do_not_fit_are_refused():
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
