import numpy as np
import pytest
import torch

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import InfoNCE, SasRec
from retrieval_leaderboard.neural.batches.negatives import HardNegatives
from retrieval_leaderboard.support.errors import InputError
from tests.neural.trainers import trainer_of

DATA = planted()
SETTINGS = {"embedding_dim": 16, "batch_size": 16, "negatives": 4, "epochs": 6, "hard_negatives": 3}


def recommended(model: InfoNCE):
    return lambda queries, k: model.recommend(queries, k)[0]


def test_lists_are_the_models_own_and_hold_nothing_taken() -> None:
    model = InfoNCE(**SETTINGS)
    model.fit(DATA.train, None, 0)
    sampler = HardNegatives(3, "cpu")
    sampler.begin_epoch(1, recommended(model), DATA.train)
    assert sampler.lists is None, "fresh towers rank at random"
    sampler.begin_epoch(2, recommended(model), DATA.train)
    for user, row in enumerate(sampler.lists.tolist()):
        listed = [item for item in row if item >= 0]
        assert len(listed) == DATA.train.n_items - DATA.train.user_counts[user]
        assert not set(listed) & set(DATA.train.by_user[user].tolist())
    items, _ = model.recommend(DATA.valid, 5)
    assert np.array_equal(items, sampler.lists[:, :5].numpy())


def test_lists_are_renewed_every_few_epochs(monkeypatch) -> None:
    asked = []
    begin = HardNegatives.begin_epoch

    def watched(self, epoch, *rest) -> None:
        before = self.lists
        begin(self, epoch, *rest)
        asked.append((epoch, self.lists is not before))

    monkeypatch.setattr(HardNegatives, "begin_epoch", watched)
    InfoNCE(**SETTINGS).fit(DATA.train, None, 0)
    assert asked == [(epoch, epoch % 2 == 0) for epoch in range(1, 7)]


def hard(trainer) -> HardNegatives:
    (found,) = [each for each in trainer.batcher.samplers if isinstance(each, HardNegatives)]
    return found


def test_rows_meet_negatives_from_their_own_lists() -> None:
    model = InfoNCE(**(SETTINGS | {"in_batch": False}))
    trainer = trainer_of(model, DATA.train, 0)
    # Only items 30 and 31 are hard, for everybody.
    hard(trainer).lists = torch.tensor([30, 31], dtype=torch.int32).repeat(DATA.train.n_users, 1)
    batch = next(trainer.batcher.epoch(trainer.examples()))
    negatives = batch.negative
    drawn = torch.isin(negatives, torch.tensor([30, 31]))
    assert drawn.sum() == 2
    assert (batch.log_q[drawn] == 0).all() and (batch.log_q[~drawn] < 0).all()


def test_where_a_list_is_too_short_a_drawn_negative_stands_in() -> None:
    trainer = trainer_of(InfoNCE(**(SETTINGS | {"in_batch": False})), DATA.train, 0)
    hard(trainer).lists = torch.full((DATA.train.n_users, 2), -1, dtype=torch.int32)
    batch = next(trainer.batcher.epoch(trainer.examples()))
    assert not batch.unused.any()
    assert (batch.log_q < 0).all(), "it was drawn, and has the chance of that"


def test_lists_alone_are_refused() -> None:
    with pytest.raises(InputError, match="infonce: negatives is 0: give 1 or more beside hard_negatives"):
        InfoNCE(negatives=0, hard_negatives=2)


def test_where_every_item_is_a_negative_none_is_one_twice() -> None:
    model = SasRec(embedding_dim=16, batch_size=16, every_negative=True, hard_negatives=2)
    trainer = trainer_of(model, DATA.train, 0)
    hard(trainer).lists = torch.full((DATA.train.n_users, 2), -1, dtype=torch.int32)  # Of a small catalog.
    batch = next(trainer.batcher.epoch(trainer.examples()))
    assert batch.negative.tolist() == np.flatnonzero(DATA.train.item_counts).tolist()
