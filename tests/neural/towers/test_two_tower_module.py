"""The towers' equations, term by term, for users of whom more and less is known."""

import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.towers.vocabulary import Vocabulary

USERS, ITEMS, DIM, SHARE = 3, 6, 4, 0.3
KNOWN_USERS, KNOWN_ITEMS = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([1.0, 1, 1, 1, 0, 1])
WEIGHT = torch.tensor([1.0, 0.5, 0.25, 2.0, 1.0, 1.0])
ASKED = [(0, [1, 2, 3]), (1, [5]), (2, []), (-1, [3, 4]), (-1, [])]


def towers(**changed) -> TwoTowerModule:
    generator = torch.Generator().manual_seed(0)
    settings = InfoNCE(
        **{"embedding_dim": DIM, "similarity": "dot", "user_share": SHARE, "examples": "interaction",
           "recency": 0.5, "history_encoder": "mean", "neighbors": 0, "features": False,
           "id_dropout": 0.0} | changed
    )  # fmt: skip
    return TwoTowerModule(settings, Vocabulary(KNOWN_USERS, KNOWN_ITEMS, WEIGHT), generator).eval()


def queries() -> QueryBatch:
    users, histories = zip(*ASKED, strict=True)
    lengths = torch.tensor([len(row) for row in histories])
    stop = torch.cumsum(lengths, 0)
    return QueryBatch.of(
        torch.tensor(users), torch.tensor([item for row in histories for item in row]), stop - lengths, stop
    )


@torch.no_grad()
def plain(found: TwoTowerModule, user: int, history: list[int]) -> torch.Tensor:
    """γ·e_u + (1-γ)·history + (1-γ)·newest; what has no training interactions is left out."""
    vector = torch.zeros(DIM)
    if user >= 0 and KNOWN_USERS[user]:
        vector += SHARE * found.user.rows[user]
    if history:
        age = torch.arange(len(history), 0, -1)
        share = WEIGHT[history] * age**-0.5
        embeddings = found.history.rows[history] * KNOWN_ITEMS[history].unsqueeze(1)
        vector += (1 - SHARE) * (share / share.sum()) @ embeddings
        if KNOWN_ITEMS[history[-1]]:
            vector += (1 - SHARE) * found.newest.rows[history[-1]]
    return vector


@pytest.mark.parametrize("cosine", [False, True])
def test_a_user_is_id_history_and_newest_item(cosine: bool) -> None:
    found = towers(similarity="cosine" if cosine else "dot")
    expected = torch.stack([plain(found, user, history) for user, history in ASKED])
    if cosine:
        expected = expected / expected.norm(dim=1, keepdim=True).clamp(min=1e-12)
    assert_close(found.users(queries()).detach(), expected)


def test_of_whom_anything_is_known() -> None:
    assert towers().is_known(queries()).tolist() == [True, True, True, True, False]
    assert towers(user_share=0.0).is_known(queries()).tolist() == [True, True, False, True, False]


def test_an_item_without_interactions_is_zero() -> None:
    found = towers()
    assert_close(found.items(torch.arange(ITEMS)), found.item.rows * KNOWN_ITEMS.unsqueeze(1))


def test_training_drops_a_share_of_the_ids() -> None:
    found, every = towers(id_dropout=0.2), torch.arange(ITEMS)[KNOWN_ITEMS > 0].repeat(200)
    torch.manual_seed(0)
    dropped = (found.train().items(every) == 0).all(dim=1).float().mean()
    assert float(dropped) == pytest.approx(0.2, abs=0.04)  # over 3 standard deviations
    assert not (found.eval().items(every) == 0).any()
