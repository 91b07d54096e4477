"""Vectors as features: shared memory, rows, serving."""

import json

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.features import Features, Vector
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.features import FeatureEncoder
from retrieval_leaderboard.serving.bundles.encoding import Schema
from retrieval_leaderboard.support.errors import InputError

ROWS = np.array([[3, 0], [np.nan, np.nan], [1, 4]], dtype=np.float32)


def features(rows: np.ndarray = ROWS) -> Features:
    return Features({"look": Vector(rows)})


def test_towers_share_the_memory_of_the_column() -> None:
    rows = Columns.of(features()).rows(features())
    assert rows.vectors[0].data_ptr() == features()["look"].vectors.ctypes.data
    assert rows.is_known(torch.tensor([0, 1, 2, -1])).tolist() == [True, False, True, False]


def test_a_vector_is_projected_less_the_mean_at_length_1() -> None:
    columns = Columns.of(features())
    encoder = FeatureEncoder(columns, 4, 1.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = encoder(columns.rows(features()), torch.tensor([0, 1, 2, -1]))
    unit = torch.tensor([1, -2]) / 5**0.5
    expected = unit @ encoder.projections[0]
    torch.testing.assert_close(found[:, 0], torch.stack([expected, 0 * expected, -expected, 0 * expected]))


def test_columns_of_vectors_have_projections_of_their_own() -> None:
    both = Features({"look": Vector(ROWS), "taste": Vector(ROWS[:, :1])})
    encoder = FeatureEncoder(Columns.of(both), 4, 1.0, None)
    assert [tuple(each.shape) for each in encoder.projections] == [(2, 4), (1, 4)] and encoder.fields == 2


def test_raw_vectors_are_read_and_others_refused() -> None:
    schema = Schema(**json.loads(json.dumps(Schema.of("item", features()).to_json())))
    encoded, _ = schema.encode([{"look": [1, 0.5]}, {"look": None}])
    assert np.array_equal(encoded["look"].vectors, [[1, 0.5], [np.nan, np.nan]], equal_nan=True)
    for wrong in ([1.0], "1 2", [1.0, None], [1.0, "2"], [1.0, float("nan")], [1.0, 1e39]):
        with pytest.raises(InputError, match="the item feature 'look' must be"):
            schema.encode([{"look": wrong}])


def test_rows_are_taken_and_stored(tmp_path) -> None:
    taken = features().take(np.array([2, 1]))
    taken.save(tmp_path / "features.npz")
    again = Features.load(tmp_path / "features.npz")["look"].vectors
    assert np.array_equal(again, ROWS[[2, 1]], equal_nan=True)
    assert len(taken["look"].with_unknown()) == 3 and np.isnan(taken["look"].with_unknown().vectors[-1]).all()


def test_another_width_than_in_training_is_refused() -> None:
    with pytest.raises(InputError, match="a vector of 1 numbers is given, not of 2 as in training"):
        Columns.of(features()).rows(features(ROWS[:, :1]))
