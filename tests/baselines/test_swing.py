import numpy as np
import pytest

from retrieval_leaderboard.baselines import swing_blocks
from retrieval_leaderboard.baselines.history_cap import sample
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import forecast, item_neighbors, neighbor_memory
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import dense, interactions, largest


def reference(train, model, users_of):
    """Equation 2, word by word (every ordered pair of users, every pair of items), and both exponents."""
    sets = [set(np.flatnonzero(row)) for row in dense(train)]
    weight = [(max(len(own), 1) + model.user_offset) ** -model.user_exponent for own in sets]
    popularity = np.maximum(dense(train).sum(axis=0), 1)
    similarity = np.zeros((train.n_items, train.n_items))
    for i in range(train.n_items):
        for u in users_of[i]:
            for v in users_of[i]:
                if u != v:
                    both = sets[u] & sets[v]
                    for j in both - {i}:
                        similarity[i, j] += weight[u] * weight[v] / (model.alpha + len(both))
    own, other = popularity**-model.history_exponent, popularity**-model.target_exponent
    return similarity * own[:, None] * other


@pytest.mark.parametrize(
    "model",
    [
        Swing(normalization=0.0, target_exponent=0.1, top_k=1000),
        Swing(normalization=0.0, history_exponent=0.0, target_exponent=0.0, top_k=1000),
        Swing(
            normalization=0.0,
            alpha=0.0,
            user_exponent=0.0,
            history_exponent=1.7,
            target_exponent=0.3,
            top_k=1000,
        ),
        Swing(
            normalization=0.0, alpha=3.5, user_exponent=0.35, user_offset=5.0, target_exponent=0.0, top_k=1000
        ),
    ],
)
@pytest.mark.parametrize("table_users", [0, 1000])
def test_similarity_is_equation_2(monkeypatch, model, table_users):
    monkeypatch.setattr(swing_blocks, "TABLE_USERS", table_users)
    train = interactions(np.random.default_rng(0))
    model.fit(train, None, 0)
    users_of = [np.flatnonzero(column) for column in dense(train).T]
    np.testing.assert_allclose(model.similarity_.toarray(), reference(train, model, users_of), rtol=1e-5)
    assert model.similarity_.indices.dtype == np.int32


def test_top_k_keeps_the_largest_of_each_item():
    train = interactions(np.random.default_rng(1))
    every = Swing(top_k=1000, normalization=0.0)
    every.fit(train, None, 0)
    whole = every.similarity_.toarray()  # (history, target)
    for side, kept in (("history", largest(whole, 3)), ("target", largest(whole.T, 3).T)):
        few = Swing(top_k=3, prune_axis=side, normalization=0.0)
        few.fit(train, None, 0)
        np.testing.assert_allclose(few.similarity_.toarray(), kept, rtol=1e-6)


def test_a_cap_uses_a_sample_of_an_items_users():
    train = interactions(np.random.default_rng(2))
    model = Swing(normalization=0.0, target_exponent=0.1, max_users_per_item=4, prune_axis="history")
    model.fit(train, None, 7)
    users = Ragged.from_rows([np.flatnonzero(column) for column in dense(train).T])
    sampled, _ = sample(users, 4, np.random.default_rng(7))
    np.testing.assert_allclose(model.similarity_.toarray(), reference(train, model, sampled), rtol=1e-5)


def test_the_seed_matters_where_users_are_drawn():
    assert Swing(max_users_per_item=4).stochastic and not Swing().stochastic


def test_sample_is_seeded_and_drawn_from_each_row():
    rows = Ragged.from_rows([[0, 1, 2, 3, 4, 5, 6, 7], [], [9, 8], [5, 6, 7]])
    drawn = [sample(rows, 3, np.random.default_rng(seed))[0] for seed in range(200)]
    assert [drawn[0][row].tolist() for row in (1, 2, 3)] == [[], [9, 8], [5, 6, 7]]
    assert {len(one[0]) for one in drawn} == {3}
    counts = np.bincount(np.concatenate([one[0] for one in drawn]), minlength=8)
    assert counts.min() > 40
    again, _ = sample(rows, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[0].values, again.values)


@pytest.mark.parametrize(
    "key, value", [("top_k", 0), ("target_exponent", -1.0), ("alpha", -1), ("max_users_per_item", -1)]
)
def test_settings_without_a_meaning_are_refused(key, value):
    with pytest.raises(InputError, match=f"swing.{key} is {value}: give"):
        Swing(**{key: value})


def test_contract():
    check_model(Swing)


class Made:
    """The users of a log that no memory holds."""

    def __init__(self, items: int) -> None:
        self.user_counts = np.array([items])


def test_offsets_are_as_wide_as_they_must_be():
    fits, overflows = Made(2**11 - 1), Made(2**11)
    assert swing_blocks.offset_type(fits, 2**20).dtype == np.int32
    assert swing_blocks.offset_type(overflows, 2**20).dtype == np.int64


def test_wide_offsets_change_nothing(monkeypatch):
    train = interactions(np.random.default_rng(0))
    narrow, wide = Swing(), Swing()
    narrow.fit(train, None, 0)
    monkeypatch.setattr(swing_blocks, "offset_type", lambda *_: np.empty(0, np.int64))
    wide.fit(train, None, 0)
    np.testing.assert_array_equal(narrow.similarity_.toarray(), wide.similarity_.toarray())


def test_memory_is_reckoned_by_neighbors_of_two_users(monkeypatch):
    train = interactions(np.random.default_rng(0), density=0.03)
    model = Swing(top_k=5, normalization=0.0)
    model.fit(train, None, 0)
    pairs = item_neighbors.activity(train)
    assert model.similarity_.nnz < np.minimum(pairs - train.item_counts, 5).sum()
    # By all items: there are fewer than the sample has.
    assert neighbor_memory.kept(train, 5, pairs, takers=2) == pytest.approx(model.similarity_.nnz, rel=1e-9)


def test_duration_is_said_before(monkeypatch, capsys):
    monkeypatch.setattr(forecast, "WORTH_SAYING", 0)
    Swing().fit(interactions(np.random.default_rng(0)), None, 0)
    assert "pairs of users" in capsys.readouterr().out
