"""Types of columns, as found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.own.features import feature_columns, feature_types
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

RNG = np.random.default_rng(0)
LIKE_IDS = "whole numbers above 2^24 that mostly differ, as ids do"
WORDS = [f"word{at}" for at in range(6)]


def cells(values, name: str = "column") -> Cells:
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)
    return Cells(Path("items.csv"), name, series)


def arrow(values) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([values])))


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        (["red", "blue"] * 5, "color", "category"),
        (["0.5", "1", "2.25", "7"] * 3, "price", "number"),
        ([str(1000 + at) for at in range(40)], "views", "number"),
        ([str(7**at) for at in range(20)], "revenue", "number"),
        ([str(2**60 + at % 20) for at in range(60)], "seller", "category"),
        ([str(10**8 * (at % 9)) for at in range(40)], "budget", "number"),
        ([str(at % 3) for at in range(60)], "grade", "category"),
        ([str(at % 20) for at in range(60)], "shop_id", "category"),
        ([f"0{at % 20}" for at in range(60)], "post", "category"),
        ([f"{RNG.choice(WORDS)}|{RNG.choice(WORDS)}" for _ in range(99)], "tags", "categories"),
        ([f"{RNG.choice(WORDS)}, {RNG.choice(WORDS)}" for _ in range(99)], "tags", "categories"),
        (['["a", "b"]', '["b"]', '["a"]'], "tags", "categories"),
        (["['a', 'b']", "['b']", "['a']"], "tags", "categories"),
        (["[0.5, 1]", "[0.25, 2]"], "look", "vector"),
        (arrow([["a"], ["b", "c"], None]), "tags", "categories"),
        (arrow([[1, 2], [3]]), "tags", "categories"),
        (arrow([[0.5, 1.0], [0.25, 2.0], None]), "look", "vector"),
        (arrow([True, False, True, False, None]), "new", "category"),
        (arrow([1.5, None, 2.5]), "price", "number"),
    ],
)  # fmt: skip
def test_a_type_is_found(values, name, expected) -> None:
    assert feature_types.find(cells(values, name)).name == expected


@pytest.mark.parametrize(
    ("values", "name", "why"),
    [
        ([f"A title, the {at}th" for at in range(40)], "title", "all differ"),
        ([f"A title, the {at // 2 if at < 6 else at}th" for at in range(40)], "title", "text"),
        (["x"] * 9, "shop", "one value"),
        (["", "nan"], "shop", "no value"),
        ([str(at) for at in range(9)], "row_id", "all differ"),
        ([str(2**60 + at) for at in range(40)], "snow", LIKE_IDS),
        (arrow([2**60 + at * (at > 9) for at in range(50)]), "snow", LIKE_IDS),
        ([f"2024-01-0{1 + at % 9}" for at in range(20)], "since", "times"),
        ([str(1_600_000_000 + at) for at in range(20)], "created_at", "times"),
        (arrow(pa.array([0, 1], pa.timestamp("s"))), "since", "times"),
        (arrow([[0.5, 1.0], [0.25]]), "look", "lists of numbers of different lengths"),
        (arrow([{"a": 1}, {"a": 2}]), "more", "objects"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_left_out(values, name, why) -> None:
    found = feature_types.find(cells(values, name))
    assert (found.name, found.why) == ("no", why)


def test_prices_with_thousands_are_not_taken_apart() -> None:
    prices = [f"{RNG.integers(1, 9)},{RNG.integers(0, 999):03d}" for _ in range(3000)]
    assert feature_types.find(cells(prices)).name != "categories"


def test_yaml_reads_no_as_false() -> None:
    assert feature_types.parse({"title": False, "brand": "category"}, "x") == {
        "title": "no",
        "brand": "category",
    }


def test_rarer_categories_than_the_limit_are_unknown(monkeypatch) -> None:
    monkeypatch.setattr(feature_columns, "MOST_CATEGORIES", 2)
    values = ["a"] * 3 + ["b"] * 2 + ["c"]
    found = feature_types.find(cells(values))
    column = feature_columns.make(cells(values), found, np.arange(6), 6)
    assert column.vocabulary == ["unknown", "a", "b"] and column.codes.tolist() == [1, 1, 1, 2, 2, 0]
    assert "rarer ones are unknown" in feature_columns.described(column)


def test_lists_are_no_category() -> None:
    column = cells(arrow([["a"], ["b"]]))
    with pytest.raises(InputError, match=r"holds lists .* and no category; choose categories or vector"):
        feature_columns.make(column, feature_types.find(column, "category"), np.arange(2), 2)


def test_rows_stand_where_their_ids_do() -> None:
    values = ["a|b", "b", ""]
    found = feature_types.find(cells(values), "categories")
    column = feature_columns.make(cells(values), found, np.array([3, 0, 1]), 4)
    assert [[column.vocabulary[code] for code in row] for row in map(column.codes.__getitem__, range(4))] == [
        ["b"], [], [], ["a", "b"]
    ]  # fmt: skip
