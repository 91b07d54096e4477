import numpy as np
import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.training import schedule
from retrieval_leaderboard.neural.training.averaging import EVERY, Averaging
from tests.neural.trainers import trainer_of

DATA = planted()
SMALL = {"embedding_dim": 8, "batch_size": 2, "negatives": 6, "epochs": 3} | {
    "neighbors": 0,
    "popularity_exponent": 0.0,
    "features": False,
}


def towers():
    return trainer_of(InfoNCE(**SMALL), DATA.train, 0).towers


def test_the_mean_of_what_came_after_the_first_step() -> None:
    some = towers()
    averaging = Averaging(some, first=EVERY)
    passed = []
    for step in range(1, 5 * EVERY + 1):
        for weight in some.trained():
            weight.data.add_(step)
        averaging.look(step)
        if step > EVERY and step % EVERY == 0:
            passed.append([each.detach().clone() for each in some.trained()])
    last = passed[-1]
    expected = [torch.stack(each).mean(dim=0) for each in zip(*passed, strict=True)]
    with averaging.in_force():
        assert_close([each.detach() for each in some.trained()], expected)
    assert_close([each.detach() for each in some.trained()], last, rtol=0, atol=0)


def test_before_it_begins_the_weights_are_their_own() -> None:
    some = towers()
    before = [each.detach().clone() for each in some.trained()]
    averaging = Averaging(some, first=EVERY)
    averaging.look(EVERY)
    averaging.swap()
    assert_close([each.detach() for each in some.trained()], before, rtol=0, atol=0)


@pytest.fixture
def passed(monkeypatch) -> list[torch.Tensor]:
    """The item embeddings that have counted so far."""
    found = []
    look = Averaging.look

    def watched(self, step: int) -> None:
        look(self, step)
        if step > self.first and step % EVERY == 0:
            found.append(self.towers.item.rows.clone())

    monkeypatch.setattr(Averaging, "look", watched)
    return found


def test_a_model_ends_with_the_mean_of_its_last_steps(passed) -> None:
    model = InfoNCE(**SMALL, averaging=0.5)
    model.fit(DATA.train_valid, None, 0)
    assert len(passed) > 3
    assert_close(model.towers.item.rows, torch.stack(passed).mean(dim=0))


def test_validation_scores_the_mean(passed, monkeypatch) -> None:
    scored = []
    score = schedule.EarlyStopping.score

    model = InfoNCE(**SMALL, averaging=0.9, patience=9, similarity="dot")

    def watched(self, epoch: int, recommend) -> float:
        found = score(self, epoch, recommend)
        scored.append((found, model.encode_items()))
        if passed:
            assert_close(torch.from_numpy(model.encode_items()), torch.stack(passed).mean(dim=0))
        return found

    monkeypatch.setattr(schedule.EarlyStopping, "score", watched)
    model.fit(DATA.train, DATA.valid, 0)
    best, items = max(scored, key=lambda each: each[0])
    assert len(passed) > 3
    assert best == max(each.get("valid_ndcg", 0) for each in model.training_log_)
    assert np.array_equal(model.encode_items(), items)


def test_without_it_nothing_is_kept() -> None:
    trainer = trainer_of(InfoNCE(**SMALL), DATA.train)
    trainer.epoch(1, lambda: None)
    assert trainer.averaging.means == []


@pytest.mark.parametrize(("done", "averaging", "expected"), [
    (0.025, 0.5, 0.5), (0.5, 0.5, 0.5), (0.9, 0.5, 0.5), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0),
])  # fmt: skip
def test_the_rate_falls_no_further(done: float, averaging: float, expected: float) -> None:
    assert schedule.rate(done, averaging) == pytest.approx(expected)


@pytest.mark.slow
def test_it_is_a_model_like_any() -> None:
    check_model(InfoNCE, **(SMALL | {"averaging": 0.7}))
