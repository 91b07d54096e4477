"""Whole fits on the simulated GPU: they learn, rank, are saved, stopped, resumed, tuned, run and served."""

import itertools
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import isolation, runner
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.neural import MODELS, InfoNCE
from retrieval_leaderboard.neural.training import fit
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.stopping import StoppedError
from tests.simulated_gpu.backend import NAME, NOTES
from tests.simulated_gpu.conftest import compute_on

DATA = planted()
SMALL = {"embedding_dim": 16, "batch_size": 100, "negatives": 24, "epochs": 2}
"""Three steps an epoch, the last of a shorter batch: a step takes the simulated GPU long"""
CASES = [
    {"hard_negatives": 2, "epochs": 4},
    {"examples": "interaction", "neighbors": 3, "averaging": 0.5},
    {"examples": "interaction", "features": True, "context": True},
    {"features": True, "mlp": "8", "norm": "batch", "user_share": 0.3},
    {"examples": "interaction", "history_encoder": "self_attention", "max_history": 4},
    {
        "examples": "sequence", "history_encoder": "causal", "max_history": 4, "in_batch": True,
        "batch_size": 20,
    },
]  # fmt: skip


def on_cpu(monkeypatch):
    monkeypatch.setattr(compute, "_current", compute.Compute(1, "cpu", "fp32"))


@pytest.mark.parametrize(
    ("model", "case"),
    [*((model, {}) for model in MODELS), *zip(itertools.cycle(MODELS), CASES)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_a_fit_ranks_and_is_saved(model, case, gpu, monkeypatch, tmp_path) -> None:
    compute_on(monkeypatch, "fp16")
    fitted = model(**(SMALL | case))
    harness.fit(fitted, DATA, 0)
    assert {each.device.type for each in fitted.towers.state_dict().values()} == {NAME}
    assert NOTES.low
    items, _ = fitted.recommend(DATA.test, 8)
    fitted.save(tmp_path)
    again = model.load(tmp_path)
    assert np.array_equal(again.recommend(DATA.test, 8)[0], items)
    if case.get("features"):
        assert np.isfinite(again.encode_new_items(DATA.train.item_features)).all()
    on_cpu(monkeypatch)
    elsewhere = model.load(tmp_path)
    np.testing.assert_allclose(elsewhere.encode_items(), fitted.encode_items(), rtol=1e-5)
    assert (elsewhere.recommend(DATA.test, 8)[0] == items).mean() > 0.95


SLOW = [pytest.param(each, marks=pytest.mark.slow) for each in ("bf16", "fp32")]


@pytest.mark.parametrize("precision", ["fp16", *SLOW])
def test_it_learns_there(precision, gpu, monkeypatch) -> None:
    compute_on(monkeypatch, precision)
    model = InfoNCE(**(SMALL | {"epochs": 8}))
    model.fit(DATA.train, DATA.valid, 0)
    items, _ = model.recommend(DATA.test, 8)
    assert measure.per_query(items, DATA.test.relevant, 8)["recall"].mean() > 0.9


@pytest.mark.parametrize("case", [
    {"averaging": 0.5, "history_dropout": 0.2},
    {"examples": "interaction", "history_encoder": "self_attention", "max_history": 4},
], ids=str)  # fmt: skip
def test_a_training_that_is_stopped_goes_on_to_the_same_bits(case, gpu, monkeypatch, tmp_path) -> None:
    compute_on(monkeypatch, "fp16")

    def vectors(folder=None, resume=False):
        model = InfoNCE(**(SMALL | case))
        if folder is not None:
            model.keep_checkpoints(folder, 60.0, resume)
        model.fit(DATA.train, DATA.valid, 0)
        return model.encode_items()

    straight = vectors()

    @contextmanager
    def stopped_in_the_second_epoch():
        counted = itertools.count(1)
        yield lambda: next(counted) == 5

    with monkeypatch.context() as patched:
        patched.setattr(fit, "deferred", stopped_in_the_second_epoch)
        with suppress(StoppedError):
            vectors(tmp_path)
            pytest.fail("not stopped")
    gpu.own = 8
    assert np.array_equal(vectors(tmp_path, resume=True), straight)
    assert gpu.own == 7


@pytest.fixture
def in_this_process(monkeypatch):
    """Runs and trials know the GPU only where it is registered."""
    monkeypatch.setattr(compute.os, "environ", dict(compute.os.environ))
    monkeypatch.setattr(isolation, "call", lambda function, *words: function(*words))


def job(**chosen) -> runner.Job:
    every = settings.resolve(InfoNCE, SMALL | chosen, "here")
    return runner.Job(runner.ModelSource("infonce"), every, 0, 20, NAME, "fp16")


def test_a_trial_is_fitted_and_scored(gpu, in_this_process) -> None:
    assert 0 < scored(job(), DATA)["ndcg"] <= 1


def test_a_run_is_recorded_and_served(gpu, in_this_process, monkeypatch, tmp_path) -> None:
    asked, policy = job(features=True), runner.CheckpointPolicy()
    record = runner.run(asked, DATA, tmp_path / "board", "infonce", True, policy)
    assert record.is_done and (record.device, record.precision) == (NAME, "fp16")
    assert record.result.costs.processor and record.result.costs.peak_gpu_mib > 0
    folder = asked.folder(DATA, tmp_path / "board")
    with np.load(folder / "lists.npz") as stored:
        lists = stored["items"]
    bundle.write(folder, DATA, tmp_path / "bundle")
    for place in ("GPU", "cpu"):
        if place == "cpu":
            on_cpu(monkeypatch)
        recommender = Recommender.open(tmp_path / "bundle")
        requests = [Request(DATA.user_ids[user]) for user in DATA.test.user]
        answers = [answer.items for answer in recommender.recommend_batch(requests)]
        expected = [DATA.item_ids[row[row >= 0]].tolist() for row in lists]
        same = sum(answer[:5] == right[:5] for answer, right in zip(answers, expected, strict=True))
        assert same > 0.9 * len(expected)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_tower_keeps_the_contract_there(model, gpu, monkeypatch) -> None:
    compute_on(monkeypatch, "fp16")
    check_model(model, **SMALL)


def test_a_plug_in_is_checked_on_the_device_of_the_run(gpu, monkeypatch) -> None:
    from retrieval_leaderboard import chosen

    monkeypatch.setattr(compute.os, "environ", dict(compute.os.environ))
    seen = []
    monkeypatch.setattr(chosen, "check_model", lambda model: seen.append(compute.current()))
    chosen._check(runner.ModelSource("infonce"), NAME, "bf16")
    assert [(each.device, each.precision) for each in seen] == [(NAME, "bf16")]
