"""A kind of feature that nothing but its registration makes known: from data to training and serving."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Features, Ragged
from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.features.column import KINDS, Column, Encoding, Inputs
from retrieval_leaderboard.evaluation.planted import BLOCKS, planted
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.training import memory
from retrieval_leaderboard.serving.bundles.encoding import Schema
from retrieval_leaderboard.support.errors import InputError
from tests.neural.looks import check_looks

DATA = planted()
SMALL = {"embedding_dim": 16, "batch_size": 16, "negatives": 24, "epochs": 40, "features": True}


@dataclass(frozen=True)
class Projected(Encoding):
    """The numbers as they are."""

    n_numbers: int

    def inputs(self, column) -> Inputs:
        return Inputs(numbers=np.nan_to_num(column.vectors))


@dataclass(frozen=True)
class Look(Column):
    """A vector a row, such as a picture's."""

    vectors: np.ndarray
    """float32[n, d], NaN where unknown"""

    kind = "look"
    encoding_type = Projected

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows) -> "Look":
        return Look(self.vectors[rows])

    def with_unknown(self) -> "Look":
        return Look(np.pad(self.vectors, ((0, 1), (0, 0)), constant_values=np.nan))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors}

    @classmethod
    def restore(cls, arrays, description) -> "Look":
        return cls(arrays["vectors"])

    def description(self) -> dict[str, Any]:
        return {"width": self.vectors.shape[1]}

    @classmethod
    def reader(cls, label: str, description):
        width = description["width"]

        def read(values: Sequence[Any]):
            rows = [[np.nan] * width if value is None else value for value in values]
            if any(len(row) != width for row in rows):
                raise InputError(f"{label} must be {width} numbers")
            return cls(np.array(rows, dtype=np.float32)), [[] for _ in values]

        return read

    def encoding(self) -> Projected:
        return Projected(self.vectors.shape[1])


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(KINDS, "look", Look)


def pictures(n: int) -> Features:
    """Items of one block look alike; beside that every item has the same color."""
    noise = np.random.default_rng(0).normal(0, 0.1, (n, BLOCKS))
    look = np.eye(BLOCKS)[np.arange(n) % BLOCKS] + noise
    color = Categorical(np.ones(n, dtype=np.int32), ["unknown", "gray"])
    return Features({"picture": Look(look.astype(np.float32)), "color": color})


def cold_items():
    """Training data in which items 0 and 16 of block 0 were never taken."""
    train = DATA.train_valid
    warm = train.item % 16 != 0
    return replace(
        train, user=train.user[warm], item=train.item[warm], timestamp=train.timestamp[warm],
        user_features=None, item_features=pictures(train.n_items),
    )  # fmt: skip


@pytest.fixture(scope="module")
def train():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "look", Look)
        return cold_items()


@pytest.fixture(scope="module")
def model(train):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "look", Look)
        found = InfoNCE(**SMALL)
        found.fit(train, None, 0)
        return found


def test_cold_and_new_items_stand_where_they_look_like(model, train) -> None:
    check_looks(model, train)


def test_saved_and_loaded_it_answers_as_before(model, train, tmp_path) -> None:
    model.save(tmp_path)
    again = InfoNCE.load(tmp_path)
    assert np.array_equal(
        again.encode_new_items(train.item_features), model.encode_new_items(train.item_features)
    )


def test_a_user_known_by_a_vector_alone_is_known(train) -> None:
    model = InfoNCE(**(SMALL | {"epochs": 1}))
    profile = Features({"taste": Look(np.ones((train.n_users, 3), dtype=np.float32))})
    model.fit(replace(train, user_features=profile), None, 0)
    taste = np.array([[1, 2, 3], [np.nan] * 3], dtype=np.float32)
    nothing = Ragged.empty(2)
    asked = Queries(
        np.full(2, -1, dtype=np.int32), nothing, nothing, nothing,
        user_features=Features({"taste": Look(taste)}),
    )  # fmt: skip
    assert model.knows(asked).tolist() == [True, False]


def test_what_is_learned_passes_through_json(train) -> None:
    columns = Columns.of(train.item_features)
    assert Columns.from_json(json.loads(json.dumps(asdict(columns)))) == columns


def test_its_memory_counts(train) -> None:
    without = replace(train, item_features=Features({"color": train.item_features["color"]}))
    model = InfoNCE(**SMALL).resolved(train, None)
    assert memory.needed(model, train) >= memory.needed(model, without) + 4 * BLOCKS * train.n_items


def test_it_is_part_of_the_fingerprint_and_goes_with_its_rows(train) -> None:
    def fingerprint(features: Features) -> str:
        return replace(DATA, train=replace(DATA.train, item_features=features)).fingerprint

    features = train.item_features
    assert list(features.columns) == ["color", "picture"]
    back = features.take(slice(None, None, -1))
    assert np.array_equal(back["picture"].vectors, features["picture"].vectors[::-1])
    assert fingerprint(features) == fingerprint(features.compact()) != fingerprint(back)


def test_it_is_stored_and_served(train, tmp_path) -> None:
    features = train.item_features.take(np.array([5, 1]))
    features.save(tmp_path / "features.npz")
    assert np.array_equal(
        Features.load(tmp_path / "features.npz")["picture"].vectors, features["picture"].vectors
    )
    schema = Schema(**json.loads(json.dumps(Schema.of("item", features).to_json())))
    raw = [{"color": "gray", "picture": row.tolist()} for row in features["picture"].vectors]
    encoded, unseen = schema.encode(raw)
    assert np.array_equal(encoded["picture"].vectors, features["picture"].vectors) and unseen == [{}, {}]
    with pytest.raises(InputError, match="the item feature 'picture' must be 4 numbers"):
        schema.encode([{"color": None, "picture": [1.0]}])
