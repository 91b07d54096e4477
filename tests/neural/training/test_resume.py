"""A training that is stopped and goes on gives the same bits as one that is not."""

import itertools
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import DssmBce, InfoNCE, SasRec, SimpleX
from retrieval_leaderboard.neural.training import fit
from retrieval_leaderboard.neural.training.checkpoint import FILE, Checkpoints, State
from retrieval_leaderboard.neural.training.layout import Layout
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.stopping import StoppedError

SMALL = {"embedding_dim": 16, "batch_size": 10, "negatives": 12, "epochs": 4}
RICH = {
    "features": True, "id_dropout": 0.2, "history_dropout": 0.2, "dropout": 0.2, "mlp": "16",
    "user_share": 0.2, "hard_negatives": 2, "batch_size": 35,
}  # fmt: skip
DATA = planted()
ONE = Layout({}, sharded=False)


@pytest.fixture
def stop_after(monkeypatch):
    """`stop_after(n)`: trainings from now on are asked to stop when they look for the n-th time: after a
    step, or after the last epoch.
    """

    def choose(steps: int) -> None:
        @contextmanager
        def deferred():
            counted = itertools.count(1)
            yield lambda: next(counted) == steps

        monkeypatch.setattr(fit, "deferred", deferred)

    return choose


def fitted(model, folder: Path | None = None, resume: bool = False, data=DATA):
    if folder is not None:
        model.keep_checkpoints(folder, 60.0, resume)
    harness.fit(model, data, seed=1)
    return model


def vectors(model) -> tuple[np.ndarray, np.ndarray]:
    return model.encode_queries(DATA.test), model.encode_items()


@pytest.mark.parametrize("steps", [7, *(pytest.param(steps, marks=pytest.mark.slow) for steps in (2, 19))])
@pytest.mark.parametrize(("model", "settings"), [
    (InfoNCE, {"batch_size": 35}),
    (InfoNCE, RICH | {"norm": "layer", "averaging": 0.6}),
    (
        SimpleX,
        {"examples": "interaction", "history_encoder": "self_attention", "dropout": 0.1, "context": True,
         "batch_size": 35},
    ),
    (DssmBce, RICH | {"norm": "batch"}),
    (SasRec, {"dropout": 0.2, "max_history": 3, "features": True, "context": True, "averaging": 0.6}),
], ids=["infonce", "infonce, averaged", "simplex_ccl, interaction", "dssm_bce, batch norm", "sasrec"]
)  # fmt: skip
def test_bit_for_bit(model, settings, steps, stop_after, tmp_path) -> None:
    settings = SMALL | settings
    straight = vectors(fitted(model(**settings)))
    stop_after(steps)
    stopped, interruptions = model(**settings), 0
    # Stopped again and again, in the fit that chooses and in the one that learns from everything.
    while True:
        try:
            fitted(stopped, tmp_path, resume=interruptions > 0)
            break
        except StoppedError:
            stopped, interruptions = model(**settings), interruptions + 1
    assert interruptions >= 2
    assert len(stopped.choosing_log) >= stopped.best_epoch_ > 0
    for one, other in zip(straight, vectors(stopped), strict=True):
        assert np.array_equal(one, other)


def interrupted(folder: Path, stop_after, **settings) -> None:
    stop_after(3)
    with pytest.raises(StoppedError):
        fitted(InfoNCE(**(SMALL | settings)), folder)


def test_where_no_epoch_was_chosen_training_goes_on_too(stop_after, tmp_path) -> None:
    never_returned = DATA.valid.exclude.last(1)
    assert (never_returned.lengths == 1).all()
    data = replace(DATA, valid=replace(DATA.valid, relevant=never_returned))
    stop_after(-1)
    straight = fitted(InfoNCE(**SMALL), data=data)
    assert straight.best_epoch_ == 0
    stop_after(7)
    resumed, interruptions = InfoNCE(**SMALL), 0
    while True:
        try:
            fitted(resumed, tmp_path, resume=interruptions > 0, data=data)
            break
        except StoppedError:
            resumed, interruptions = InfoNCE(**SMALL), interruptions + 1
    assert interruptions >= 2
    for one, other in zip(vectors(straight), vectors(resumed), strict=True):
        assert np.array_equal(one, other)


def test_without_resume_the_training_begins_anew(stop_after, tmp_path) -> None:
    interrupted(tmp_path, stop_after)
    stop_after(-1)
    again = fitted(InfoNCE(**SMALL), tmp_path)
    for one, other in zip(vectors(fitted(InfoNCE(**SMALL))), vectors(again), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("change", "said"), [
    ({"temperature": 0.3}, "its setting temperature is 0.2, here it is 0.3"),
    ({"embedding_dim": 8}, "its setting embedding_dim is 16, here it is 8"),
])  # fmt: skip
def test_a_checkpoint_of_other_settings_is_refused(change, said, stop_after, tmp_path) -> None:
    interrupted(tmp_path, stop_after)
    with pytest.raises(InputError, match=f"belongs to another training: {said}; run without --resume"):
        fitted(InfoNCE(**(SMALL | change)), tmp_path, resume=True)


def test_a_checkpoint_of_another_version_is_refused(monkeypatch, stop_after, tmp_path) -> None:
    interrupted(tmp_path, stop_after)
    monkeypatch.setattr(fit, "VERSION", fit.VERSION + 1)
    with pytest.raises(InputError, match="its version is 2, here it is 3; run without --resume"):
        fitted(InfoNCE(**SMALL), tmp_path, resume=True)


def test_a_checkpoint_of_other_data_is_refused(stop_after, tmp_path) -> None:
    interrupted(tmp_path, stop_after)
    fewer = replace(DATA, train=replace(DATA.train, item=DATA.train.item[::-1].copy()))
    with pytest.raises(InputError, match="its training data is"):
        fitted(InfoNCE(**SMALL), tmp_path, resume=True, data=fewer)


def test_a_checkpoint_of_other_features_is_refused(stop_after, tmp_path) -> None:
    interrupted(tmp_path, stop_after, features=True)
    other = DATA.train.item_features.take(slice(None, None, -1))
    changed = replace(DATA, train=replace(DATA.train, item_features=other))
    with pytest.raises(InputError, match="its training data is"):
        fitted(InfoNCE(**(SMALL | {"features": True})), tmp_path, resume=True, data=changed)


def test_a_stop_after_the_last_step_loses_nothing(stop_after, tmp_path, capsys) -> None:
    straight = InfoNCE(**SMALL)
    straight.fit(DATA.train_valid, None, 0)
    steps = len(straight.training_log) * -(-48 // SMALL["batch_size"])
    stop_after(steps + 1)
    stopped = InfoNCE(**SMALL)
    stopped.keep_checkpoints(tmp_path, 60.0, resume=False)
    with pytest.raises(StoppedError):
        stopped.fit(DATA.train_valid, None, 0)
    again = InfoNCE(**SMALL)
    again.keep_checkpoints(tmp_path, 60.0, resume=True)
    again.fit(DATA.train_valid, None, 0)
    assert "going on in epoch 5, step 0" in capsys.readouterr().out
    for one, other in zip(vectors(straight), vectors(again), strict=True):
        assert np.array_equal(one, other)


def test_resume_without_a_checkpoint_says_whose_there_are(stop_after, tmp_path, capsys) -> None:
    interrupted(tmp_path / "infonce-seed0-1", stop_after)
    stop_after(-1)
    fitted(InfoNCE(**SMALL), tmp_path / "infonce-seed0-2", resume=True)
    said = capsys.readouterr().out
    assert f"no checkpoint in {tmp_path / 'infonce-seed0-2'}: training begins anew" in said
    assert "those there are of other data, settings or seeds: infonce-seed0-1" in said


def cut(content: bytearray) -> None:
    del content[len(content) // 2 :]


def flip(place: float):
    """Another bit at that share of the file."""

    def one(content: bytearray) -> None:
        content[int(place * (len(content) - 1))] ^= 4

    return one


# 0.003 is in the header, whose first bytes are its length.
@pytest.mark.parametrize("damage", [cut, *map(flip, (0.0, 0.003, 0.3, 0.5, 0.7, 0.9, 1.0)), bytearray.clear])
def test_a_damaged_checkpoint_is_told_and_left(damage, stop_after, tmp_path, capsys) -> None:
    interrupted(tmp_path, stop_after)
    stop_after(-1)
    content = bytearray((tmp_path / FILE).read_bytes())
    damage(content)
    (tmp_path / FILE).write_bytes(content)
    state = Checkpoints(tmp_path, 60.0, resume=True).load()
    assert state is None
    said = capsys.readouterr().out
    assert f"the checkpoint {tmp_path / FILE} is damaged (" in said and ": training begins anew" in said


def test_after_a_damaged_checkpoint_the_training_begins_anew(stop_after, tmp_path, capsys) -> None:
    interrupted(tmp_path, stop_after)
    stop_after(-1)
    (tmp_path / FILE).write_bytes(b"none")
    again = fitted(InfoNCE(**SMALL), tmp_path, resume=True)
    for one, other in zip(vectors(fitted(InfoNCE(**SMALL))), vectors(again), strict=True):
        assert np.array_equal(one, other)


def test_every_type_of_tensor_is_kept(tmp_path) -> None:
    kinds = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
    tensors = {str(kind): torch.ones(2, 3).to(kind) for kind in kinds}
    tensors |= {"one": torch.tensor(3.5), "none": torch.empty(0, 4), "turned": torch.arange(6.0).view(2, 3).T}
    Checkpoints(tmp_path, 60.0, resume=False).save(State({"seed": 1}, {"log": []}, tensors), ONE)
    state = Checkpoints(tmp_path, 60.0, resume=True).load()
    assert state is not None and state.identity == {"seed": 1} and state.values == {"log": []}
    read = state.read(ONE)
    assert all(torch.equal(read[name], each) for name, each in tensors.items())


def test_checkpoints_are_kept_every_so_often(tmp_path) -> None:
    model = InfoNCE(**SMALL)
    model.keep_checkpoints(tmp_path, 0.0, resume=False)
    model.fit(DATA.train, DATA.valid, 0)
    assert (tmp_path / FILE).is_file()
