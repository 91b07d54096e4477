import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued, Numeric
from retrieval_leaderboard.datasets.features.numeric import Scale
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.features import FeatureEncoder
from retrieval_leaderboard.support.errors import InputError

FEATURES = Features(
    {
        "color": Categorical(np.array([0, 2, 1, 2], dtype=np.int32), ["unknown", "red", "blue"]),
        "genre": Multivalued(Ragged.from_rows([[1, 2], [], [3], [2, 2]]), ["unknown", "a", "b", "c"]),
        "price": Numeric(np.array([1.0, np.nan, 1e8, 0.0], dtype=np.float32)),
    }
)
COLUMNS = Columns.of(FEATURES)


def bucketed(numbers, scale: Scale) -> np.ndarray:
    return scale.inputs(Numeric(numbers)).codes


def encoder() -> FeatureEncoder:
    return FeatureEncoder(COLUMNS, 3, 1.0, torch.Generator().manual_seed(0))


def test_every_column_has_a_vector() -> None:
    encode = encoder()
    parts = encode.table.rows.split(COLUMNS.sizes)
    color, price, genre = parts
    squeezed = np.log1p([1.0, 1e8, 0.0])
    number = dict(zip([0, 2, 3], (squeezed - squeezed.mean()) / squeezed.std(), strict=True))
    genres = {0: (genre[1] + genre[2]) / 2, 1: torch.zeros(3), 2: genre[3], 3: genre[2]}
    buckets = bucketed(FEATURES["price"].numbers, COLUMNS.all["price"])
    with torch.no_grad():
        found = encode(COLUMNS.rows(FEATURES), torch.tensor([3, 0, 1, 2, 2]))
        assert found.shape == (5, encode.fields, 3)
        for vectors, row in zip(found, [3, 0, 1, 2, 2], strict=True):
            linear = encode.numeric[1] if row == 1 else float(number[row]) * encode.numeric[0]
            expected = [color[FEATURES["color"].codes[row]], price[buckets[row]], genres[row], linear]
            assert_close(vectors, torch.stack(expected))


def test_prices_fall_into_buckets_of_equal_share() -> None:
    prices = np.exp(np.random.default_rng(0).normal(4, 2, 3200)).astype(np.float32)
    codes = bucketed(prices, Scale.of(prices))
    assert set(np.unique(codes)) == set(range(1, 33))
    assert np.bincount(codes)[1:].min() > 90
    wild = np.array([0, 1e8, np.nan, -5], dtype=np.float32)
    assert bucketed(wild, Scale.of(prices)).tolist() == [1, 32, 0, 1]


def test_a_bucket_begins_with_its_edge() -> None:
    edges = np.array([1.0, 2.0])
    codes = bucketed(np.expm1([0.5, 1.0, 1.5, 2.0, 9.0]), Scale(0.0, 1.0, tuple(np.log1p(np.expm1(edges)))))
    assert codes.tolist() == [1, 2, 2, 3, 3]


def test_unknown_rows_are_zero_at_first_and_count_as_not_told() -> None:
    rows = COLUMNS.rows(FEATURES)
    with torch.no_grad():
        vectors = encoder()(rows, torch.tensor([-1]))
    assert not vectors[0, :3].any()
    nothing = Features(
        {
            "color": Categorical(np.array([0, 1], dtype=np.int32)),
            "genre": Multivalued(Ragged.empty(2)),
            "price": Numeric(np.array([np.nan, np.nan], dtype=np.float32)),
        }
    )
    assert COLUMNS.rows(nothing).is_known(torch.tensor([0, 1, -1])).tolist() == [False, True, False]


def test_a_code_that_was_not_learned_is_unknown() -> None:
    new = Features(
        {
            "color": Categorical(np.array([7], dtype=np.int32)),
            "genre": Multivalued(Ragged.from_rows([[9, 1]])),
            "price": Numeric(np.array([5.0], dtype=np.float32)),
        }
    )
    rows = COLUMNS.rows(new)
    assert rows.codes[0, 0] == COLUMNS.starts[0]
    assert rows.several[0][0].tolist() == [COLUMNS.starts[2], COLUMNS.starts[2] + 1]


@pytest.mark.parametrize("instead", [{}, {"price": Categorical(np.ones(4, dtype=np.int32))}], ids=str)
def test_a_missing_column_is_named(instead) -> None:
    others = {name: column for name, column in FEATURES.columns.items() if name != "price"}
    with pytest.raises(InputError, match="the numeric feature column 'price' is missing"):
        COLUMNS.rows(Features(others | instead))


def test_columns_pass_through_json() -> None:
    assert Columns.from_json(json.loads(json.dumps(asdict(COLUMNS)))) == COLUMNS


def test_columns_without_a_known_number_are_finite() -> None:
    unknown = Features({"price": Numeric(np.full(2, np.nan, dtype=np.float32))})
    columns = Columns.of(unknown)
    encode = FeatureEncoder(columns, 3, 1.0, torch.Generator().manual_seed(0))
    assert torch.isfinite(encode(columns.rows(unknown), torch.tensor([0, 1]))).all()
