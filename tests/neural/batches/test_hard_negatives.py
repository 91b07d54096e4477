import numpy as np
import pytest
import torch

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.batches import hard_negatives
from retrieval_leaderboard.neural.batches.hard_negatives import due, lists
from retrieval_leaderboard.support.errors import InputError
from tests.neural.trainers import trainer_of

DATA = planted()
SETTINGS = {"embedding_dim": 16, "batch_size": 16, "negatives": 4, "epochs": 6, "hard_negatives": 3}


def test_lists_are_the_models_own_and_hold_nothing_taken() -> None:
    model = InfoNCE(**SETTINGS)
    model.fit(DATA.train, None, 0)
    found = lists(lambda queries, k: model.recommend(queries, k)[0], DATA.train)
    for user, row in enumerate(found.tolist()):
        listed = [item for item in row if item >= 0]
        assert len(listed) == DATA.train.n_items - DATA.train.user_counts[user]
        assert not set(listed) & set(DATA.train.by_user[user].tolist())
    items, _ = model.recommend(DATA.valid, 5)
    assert np.array_equal(items, found[:, :5].numpy())


def test_lists_are_renewed_every_few_epochs(monkeypatch) -> None:
    assert [epoch for epoch in range(1, 7) if due(epoch)] == [2, 4, 6]
    made = []
    monkeypatch.setattr(hard_negatives, "lists", lambda *given: made.append(1) or lists(*given))
    InfoNCE(**SETTINGS).fit(DATA.train, None, 0)
    assert len(made) == 3


def test_rows_meet_negatives_from_their_own_lists() -> None:
    model = InfoNCE(**(SETTINGS | {"in_batch": False}))
    trainer = trainer_of(model, DATA.train, 0)
    # Only items 30 and 31 are hard, for everybody.
    trainer.batcher.hard = torch.tensor([30, 31], dtype=torch.int32).repeat(DATA.train.n_users, 1)
    batch = next(trainer.batcher.epoch(trainer.rows()))
    negatives = batch.items[batch.negative]
    hard = torch.isin(negatives, torch.tensor([30, 31]))
    assert hard.sum() == 2
    assert (batch.log_q[hard] == 0).all() and (batch.log_q[~hard] < 0).all()


def test_where_a_list_is_too_short_a_drawn_negative_stands_in() -> None:
    trainer = trainer_of(InfoNCE(**(SETTINGS | {"in_batch": False})), DATA.train, 0)
    trainer.batcher.hard = torch.full((DATA.train.n_users, 2), -1, dtype=torch.int32)
    batch = next(trainer.batcher.epoch(trainer.rows()))
    assert not batch.unused.any()
    assert (batch.log_q < 0).all(), "it was drawn, and has the chance of that"


def test_lists_alone_are_refused() -> None:
    with pytest.raises(InputError, match="infonce: negatives is 0: give 1 or more beside hard_negatives"):
        InfoNCE(negatives=0, hard_negatives=2)
