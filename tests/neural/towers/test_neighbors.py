import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models.saving import load, save
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import MODELS, InfoNCE
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.towers.neighbors import neighbors_of
from retrieval_leaderboard.neural.training.build import towers_of
from retrieval_leaderboard.support.errors import InputError

K, WEIGHT = 3, 2.0


def plain(train: Interactions) -> np.ndarray:
    """float64[n_items, n_items]: the similarity of every two items, pair by pair."""
    users = [set(train.user[train.item == item].tolist()) for item in range(train.n_items)]
    found = np.zeros((train.n_items, train.n_items))
    for one, left in enumerate(users):
        for other, right in enumerate(users):
            if one != other and left & right:
                shared = sum(train.user_counts[user] ** -0.25 for user in left & right)
                found[one, other] = shared / np.sqrt(len(left) * len(right))
    return found


def uneven() -> Interactions:
    """User u takes 3 to 19 items, so that who shares two items matters."""
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.choice(20, 3 + u % 17, replace=False)) for u in range(34)]
    user = np.repeat(np.arange(34, dtype=np.int32), [len(row) for row in rows])
    return Interactions(user, np.concatenate(rows).astype(np.int32), None, 34, 20, False)


def test_neighbors_are_the_most_similar_items() -> None:
    train = uneven()
    similar = plain(train)
    found = neighbors_of(train, K, WEIGHT)
    assert found.item.shape == found.weight.shape == (train.n_items, K + 1)
    assert found.item[:, 0].tolist() == list(range(train.n_items))
    for item in range(train.n_items):
        values = similar[item][found.item[item, 1:]]
        assert np.sort(values) == pytest.approx(np.sort(similar[item])[-K:], rel=1e-5)
        assert found.weight[item].numpy() == pytest.approx(
            np.append(1, WEIGHT * values / values.sum()), rel=1e-5
        )


def test_an_item_that_nobody_took_with_others_is_made_of_itself() -> None:
    train = Interactions(np.array([0, 0, 1], np.int32), np.array([0, 1, 2], np.int32), None, 2, 4, False)
    found = neighbors_of(train, K, WEIGHT)
    assert found.item.tolist() == [[0, 1, 0, 0], [1, 0, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]
    assert found.weight.tolist() == [[1, WEIGHT, 0, 0], [1, WEIGHT, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("settings", [
    {},
    {"examples": "interaction"},
    {"shared_history": True, "user_share": 0.3},
    {"features": True, "mlp": "8"},
], ids=str)  # fmt: skip
def test_folded_towers_give_the_same_vectors(settings: dict) -> None:
    train = planted().train
    model = InfoNCE(embedding_dim=8, neighbors=K, neighbor_weight=WEIGHT, **settings).resolved(train, None)
    towers = towers_of(model, train, torch.Generator().manual_seed(0)).eval()
    folded = towers.folded()
    assert folded.neighbors is None
    assert not torch.allclose(folded.item.rows, towers.item.rows)
    offsets = torch.as_tensor(train.by_user.compact()[1])
    queries = QueryBatch.of(
        torch.arange(train.n_users), torch.as_tensor(train.item).long(), offsets[:-1], offsets[1:]
    )
    with torch.no_grad():
        for ours, theirs in zip(
            folded(queries, torch.arange(train.n_items)),
            towers(queries, torch.arange(train.n_items)),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("model_class", MODELS)
def test_a_saved_model_answers_as_before(model_class, tmp_path) -> None:
    data = planted()
    model = model_class(embedding_dim=8, epochs=2, neighbors=K)
    model.fit(data.train, data.valid, 0)
    expected = model.recommend(data.valid, 5)
    save(model, tmp_path / "model")
    for ours, theirs in zip(
        load(model_class, tmp_path / "model").recommend(data.valid, 5), expected, strict=True
    ):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("settings", "told"), [
    ({"neighbors": -1}, "infonce.neighbors is -1: give 0 or more, or auto"),
    ({"neighbor_weight": 0.0}, "infonce.neighbor_weight is 0.0: give more than 0"),
], ids=str)  # fmt: skip
def test_settings_without_a_meaning_are_refused(settings: dict, told: str) -> None:
    with pytest.raises(InputError, match=told):
        InfoNCE(**settings)
