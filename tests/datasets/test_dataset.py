import numpy as np

from retrieval_leaderboard.datasets import Features, Interactions, Queries, Ragged

FEATURES = Features(
    categorical={"color": np.array([0, 2, 1], dtype=np.int32)},
    multivalued={"genre": Ragged.from_rows([[1, 2], [], [3]])},
    vocabulary={"color": ["unknown", "red", "blue"], "genre": ["unknown", "a", "b", "c"]},
    numeric={"price": np.array([1.0, np.nan, 3.0], dtype=np.float32)},
)


def test_features_of_chosen_rows() -> None:
    for rows in (np.array([2, 0]), slice(2, None, -2)):
        taken = FEATURES.take(rows)
        assert taken.categorical["color"].tolist() == [1, 0]
        assert [taken.multivalued["genre"][row].tolist() for row in (0, 1)] == [[3], [1, 2]]
        assert taken.numeric["price"].tolist() == [3, 1]
        assert taken.vocabulary == FEATURES.vocabulary


def test_chosen_queries_keep_what_is_told_of_their_users() -> None:
    empty = Ragged.empty(3)
    queries = Queries(np.full(3, -1, dtype=np.int32), empty, empty, empty, user_features=FEATURES)
    taken = queries.take(slice(1, 3))
    assert taken.user_features is not None
    assert taken.user_features.categorical["color"].tolist() == [2, 1]
    assert Queries(queries.user, empty, empty, empty).take(slice(0, 1)).user_features is None


def test_users_are_asked_at_their_last_interaction() -> None:
    places = Features(
        {"place": np.array([1, 2, 1, 2, 2], dtype=np.int32)}, vocabulary={"place": ["", "a", "b"]}
    )
    user, item = (np.array(column, dtype=np.int32) for column in ([0, 0, 2, 2, 2], [5, 1, 3, 4, 5]))
    taken = Interactions(user, item, np.array([1, 7, 2, 3, 9]), n_users=4, n_items=6, context=places)
    queries = taken.queries(np.array([2, 0]))
    assert queries.user.tolist() == [2, 0]
    assert [queries.history[row].tolist() for row in (0, 1)] == [[3, 4, 5], [5, 1]]
    assert queries.timestamp is not None and queries.timestamp.tolist() == [9, 7]
    assert queries.context is not None and queries.context.categorical["place"].tolist() == [2, 2]
    assert len(queries.relevant.compact()[0]) == 0


def test_interactions_a_user_leave_out_users_without_any():
    users, items = np.array([0, 0, 0, 2], np.int32), np.array([1, 3, 4, 1], np.int32)
    assert Interactions(users, items, None, n_users=4, n_items=6).interactions_a_user == 2.0
    assert Interactions(users[:0], items[:0], None, n_users=4, n_items=6).interactions_a_user == 0.0
