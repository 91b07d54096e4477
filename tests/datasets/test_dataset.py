import numpy as np
import pytest

from retrieval_leaderboard.datasets import (
    Categorical,
    Features,
    Interactions,
    Multivalued,
    Numeric,
    Queries,
    Ragged,
)
from retrieval_leaderboard.support.errors import InputError

FEATURES = Features(
    {
        "price": Numeric(np.array([1.0, np.nan, 3.0], dtype=np.float32)),
        "genre": Multivalued(Ragged.from_rows([[1, 2], [], [3]]), ["unknown", "a", "b", "c"]),
        "color": Categorical(np.array([0, 2, 1], dtype=np.int32), ["unknown", "red", "blue"]),
    }
)


def test_features_of_chosen_rows() -> None:
    for rows in (np.array([2, 0]), slice(2, None, -2)):
        taken = FEATURES.take(rows)
        assert taken["color"].codes.tolist() == [1, 0]
        assert [taken["genre"].codes[row].tolist() for row in (0, 1)] == [[3], [1, 2]]
        assert taken["price"].numbers.tolist() == [3, 1]
        assert taken.description() == FEATURES.description()


def test_columns_stand_in_the_order_of_their_kinds() -> None:
    assert list(FEATURES.columns) == ["color", "genre", "price"]


def test_columns_of_different_lengths_are_refused() -> None:
    price = Numeric(np.ones(2, dtype=np.float32))
    with pytest.raises(InputError, match=r"their rows are \{'color': 3, 'price': 2\}"):
        Features({"color": FEATURES["color"], "price": price})


def test_stored_features_are_read_as_they_were(tmp_path) -> None:
    FEATURES.save(tmp_path / "features.npz")
    read = Features.load(tmp_path / "features.npz")
    assert read.description() == FEATURES.description()
    for name, column in FEATURES.columns.items():
        for part, array in column.arrays().items():
            np.testing.assert_array_equal(read[name].arrays()[part], array)


def test_chosen_queries_keep_what_is_told_of_their_users() -> None:
    empty = Ragged.empty(3)
    queries = Queries(np.full(3, -1, dtype=np.int32), empty, empty, empty, user_features=FEATURES)
    taken = queries.take(slice(1, 3))
    assert taken.user_features is not None
    assert taken.user_features["color"].codes.tolist() == [2, 1]
    assert Queries(queries.user, empty, empty, empty).take(slice(0, 1)).user_features is None


def test_users_are_asked_at_their_last_interaction() -> None:
    places = Features({"place": Categorical(np.array([1, 2, 1, 2, 2], dtype=np.int32), ["", "a", "b"])})
    user, item = (np.array(column, dtype=np.int32) for column in ([0, 0, 2, 2, 2], [5, 1, 3, 4, 5]))
    taken = Interactions(user, item, np.array([1, 7, 2, 3, 9]), n_users=4, n_items=6, context=places)
    queries = taken.queries(np.array([2, 0]))
    assert queries.user.tolist() == [2, 0]
    assert [queries.history[row].tolist() for row in (0, 1)] == [[3, 4, 5], [5, 1]]
    assert queries.timestamp is not None and queries.timestamp.tolist() == [9, 7]
    assert queries.context is not None and queries.context["place"].codes.tolist() == [2, 2]
    assert len(queries.relevant.compact()[0]) == 0


def test_interactions_a_user_leave_out_users_without_any():
    users, items = np.array([0, 0, 0, 2], np.int32), np.array([1, 3, 4, 1], np.int32)
    assert Interactions(users, items, None, n_users=4, n_items=6).interactions_a_user == 2.0
    assert Interactions(users, items, None, n_users=4, n_items=6).active_users == 2
    assert Interactions(users[:0], items[:0], None, n_users=4, n_items=6).interactions_a_user == 0.0
