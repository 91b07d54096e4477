"""Lists that break the contract are refused, and the message says what and where."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.lists import InvalidListsError, check

QUERIES = Queries(
    user=np.array([0, 1], dtype=np.int32),
    history=Ragged.from_rows([[0], [1]]),
    exclude=Ragged.from_rows([[0], [1]]),
    relevant=Ragged.from_rows([[2], [3]]),
)
GOOD_ITEMS = [[1, 2, 3], [0, 2, -1]]
GOOD_SCORES = [[3.0, 2.0, 2.0], [1.0, 0.5, -np.inf]]


def refuse(items, scores, message):
    with pytest.raises(InvalidListsError, match=message):
        check(np.array(items, dtype=np.int32), np.array(scores, dtype=np.float32), QUERIES, 3, n_items=4)


def test_good_lists_pass():
    check(np.array(GOOD_ITEMS, np.int32), np.array(GOOD_SCORES, np.float32), QUERIES, 3, n_items=4)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers(score):
    refuse(GOOD_ITEMS, [[3.0, 2.0, score], GOOD_SCORES[1]], "NaN or infinite.*first query 0")


def test_an_excluded_item():
    refuse([GOOD_ITEMS[0], [0, 1, -1]], GOOD_SCORES, "an excluded item: 1 of 2 queries, first query 1")


def test_a_repeated_item():
    refuse([[1, 2, 1], GOOD_ITEMS[1]], GOOD_SCORES, "a repeated item")


def test_an_item_outside_the_catalog():
    refuse([[1, 2, 4], GOOD_ITEMS[1]], GOOD_SCORES, "outside the catalog")


def test_a_list_not_best_first():
    refuse(GOOD_ITEMS, [[1.0, 2.0, 2.0], GOOD_SCORES[1]], "not best first")


def test_an_empty_position_before_a_filled_one():
    refuse([GOOD_ITEMS[0], [0, -1, 2]], [GOOD_SCORES[0], [1.0, -np.inf, 0.5]], "empty position")


def test_wrong_shape_and_type():
    scores = np.array(GOOD_SCORES, np.float32)
    with pytest.raises(InvalidListsError, match=r"items as int64\[2, 3\]; it must be int32\[2, 3\]"):
        check(np.array(GOOD_ITEMS, np.int64), scores, QUERIES, 3, n_items=4)  # type: ignore[arg-type]
    with pytest.raises(InvalidListsError, match=r"items as int32\[2, 2\]"):
        check(np.array(GOOD_ITEMS, np.int32)[:, :2], scores, QUERIES, 3, n_items=4)
    with pytest.raises(InvalidListsError, match="items as list"):
        check(GOOD_ITEMS, scores, QUERIES, 3, n_items=4)  # type: ignore[arg-type]
