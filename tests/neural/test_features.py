import numpy as np
import torch
from torch.testing import assert_close

from datasets.dataset import Features
from datasets.ragged import Ragged
from neural.features import FeatureEncoder

FEATURES = Features(
    categorical={"colour": np.array([0, 2, 1, 2], dtype=np.int32)},
    multivalued={"genre": Ragged.from_rows([[1, 2], [], [3], [2, 2]])},
    vocabulary={"colour": ["unknown", "red", "blue"], "genre": ["unknown", "a", "b", "c"]},
    numeric={"price": np.array([1.0, np.nan, 1e8, 10.0], dtype=np.float32)},
)


def test_vectors_are_sums_over_columns() -> None:
    encoder = FeatureEncoder(FEATURES, 3, 1.0, torch.Generator().manual_seed(0))
    colour, genre = (column.table.weight for column in encoder.columns)
    squeezed = np.log1p([1.0, 1e8, 10.0])
    number = dict(zip([0, 2, 3], (squeezed - squeezed.mean()) / squeezed.std(), strict=True))
    genres = {0: (genre[1] + genre[2]) / 2, 1: torch.zeros(3), 2: genre[3], 3: genre[2]}
    codes = FEATURES.categorical["colour"]
    with torch.no_grad():
        found = encoder(torch.tensor([3, 0, 1, 2, 2]))
        for vector, row in zip(found, [3, 0, 1, 2, 2], strict=True):
            price = encoder.numeric[1] if row == 1 else float(number[row]) * encoder.numeric[0]
            assert_close(vector, colour[codes[row]] + genres[row] + price)


def test_columns_without_a_known_number_are_finite() -> None:
    unknown = Features(numeric={"price": np.full(2, np.nan, dtype=np.float32)})
    encoder = FeatureEncoder(unknown, 3, 1.0, torch.Generator().manual_seed(0))
    assert torch.isfinite(encoder(torch.tensor([0, 1]))).all()
