import numpy as np
import pytest
import torch

from retrieval_leaderboard.evaluation.testing.planted import planted
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.batches.hard_negatives import refresh
from retrieval_leaderboard.neural.training.loop import Loop
from retrieval_leaderboard.support.errors import InputError

DATA = planted()
SETTINGS = {"embedding_dim": 16, "batch_size": 16, "negatives": 4, "epochs": 6, "hard_negatives": 3}


def resolved() -> InfoNCE:
    model = InfoNCE(**SETTINGS)
    model.resolved_ = model.resolve(DATA.train, None)
    return model


def test_lists_are_the_models_own_and_hold_nothing_taken() -> None:
    model = resolved()
    loop = Loop(model, DATA.train, 0)
    refresh(model, loop, 1)
    assert loop.batcher.hard is None, "fresh towers rank at random"
    loop.epoch(1, lambda: None)
    refresh(model, loop, 2)
    for user, row in enumerate(loop.batcher.hard.tolist()):
        listed = [item for item in row if item >= 0]
        assert len(listed) == DATA.train.n_items - DATA.train.user_counts[user]
        assert not set(listed) & set(DATA.train.by_user[user].tolist())
    items, _ = model.recommend(DATA.valid, 5)
    assert np.array_equal(items, loop.batcher.hard[:, :5].numpy())


def test_lists_are_renewed_every_few_epochs() -> None:
    model = resolved()
    loop = Loop(model, DATA.train, 0)
    renewed = []
    for epoch in range(1, 7):
        before = loop.batcher.hard
        refresh(model, loop, epoch)
        if loop.batcher.hard is not before:
            renewed.append(epoch)
        loop.epoch(epoch, lambda: None)
    assert renewed == [2, 4, 6]


def test_rows_meet_negatives_from_their_own_lists() -> None:
    model = InfoNCE(**(SETTINGS | {"in_batch": False}))
    loop = Loop(model, DATA.train, 0)
    # Only items 30 and 31 are hard, for everybody.
    loop.batcher.hard = torch.tensor([30, 31], dtype=torch.int32).repeat(DATA.train.n_users, 1)
    batch = next(loop.batcher.epoch(loop.rows()))
    negatives = batch.items[batch.negative]
    hard = torch.isin(negatives, torch.tensor([30, 31]))
    assert hard.sum() == 2
    assert (batch.log_q[hard] == 0).all() and (batch.log_q[~hard] < 0).all()


def test_where_a_list_is_too_short_a_drawn_negative_stands_in() -> None:
    loop = Loop(InfoNCE(**(SETTINGS | {"in_batch": False})), DATA.train, 0)
    loop.batcher.hard = torch.full((DATA.train.n_users, 2), -1, dtype=torch.int32)
    batch = next(loop.batcher.epoch(loop.rows()))
    assert not batch.unused.any()
    assert (batch.log_q < 0).all(), "it was drawn, and has the chance of that"


def test_lists_alone_are_refused() -> None:
    with pytest.raises(InputError, match="infonce: negatives is 0: give 1 or more beside hard_negatives"):
        InfoNCE(negatives=0, hard_negatives=2)
