import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Categorical, Features, Numeric
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.ranking import topk_torch
from retrieval_leaderboard.evaluation.runs.isolation import call
from retrieval_leaderboard.neural import InfoNCE, SasRec
from retrieval_leaderboard.neural.distributed.batches import OwnInteractions
from retrieval_leaderboard.neural.training import memory
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system.memory import peak_mib

DATA = planted()
WIDE = {"embedding_dim": 256, "epochs": 1, "negatives": 64}
N_ITEMS = 200_000


def wide():
    return replace(DATA.train_valid, n_items=N_ITEMS, item_features=None, user_features=None)


def described():
    """200,000 items with features as AliEC's."""
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 20_000, N_ITEMS).astype(np.int32) for _ in range(4)]
    columns = {f"column {n}": Categorical(each, [""] * 20_000) for n, each in enumerate(codes)}
    features = Features(columns | {"price": Numeric(rng.random(N_ITEMS, dtype=np.float32))})
    return replace(DATA.train_valid, n_items=N_ITEMS, item_features=features, user_features=None)


def long():
    """A thousand users with 100 items each, of 3,000."""
    user = np.repeat(np.arange(1000, dtype=np.int32), 100)
    item = (3 * user + np.tile(30 * np.arange(100, dtype=np.int32), 1000)) % 3000
    return Interactions(user, item, None, 1000, 3000)


CASES = {
    "ids": (InfoNCE, WIDE | {"neighbors": 0}, wide),
    "neighbors": (InfoNCE, WIDE | {"neighbors": 20}, wide),
    "features": (
        InfoNCE,
        WIDE | {"features": True, "mlp": "256-128", "norm": "layer", "neighbors": 0},
        described,
    ),
    "sequences": (SasRec, {"epochs": 1, "batch_size": 300}, long),
}


def needed(train, model=InfoNCE, **settings) -> int:
    return memory.needed(model(**settings).resolved(train, None), train)


def growth(case: str) -> float:
    """MiB that a fit adds to what importing and reading took; called in a process of its own."""
    progress.configure(quiet=True)
    model, settings, data = CASES[case]
    model(**settings).fit(DATA.train_valid, None, 0)
    train = data()
    before = peak_mib()
    # Neighbors are folded into tables of their own at each evaluation.
    model(**settings).fit(train, DATA.valid if case == "neighbors" else None, 0)
    return peak_mib() - before


@pytest.mark.parametrize(
    "case",
    ["ids", "sequences", *(pytest.param(each, marks=pytest.mark.slow) for each in ("neighbors", "features"))],
)
def test_the_estimate_is_what_a_fit_takes(case) -> None:
    model, settings, data = CASES[case]
    estimate = needed(data(), model, **settings) / memory.MIB
    assert 0.6 * estimate < call(growth, case) < 1.3 * estimate


def imports_the_compiler() -> bool:
    """Whether fits do, with numbers and with sequences; called in a process of its own."""
    progress.configure(quiet=True)
    numbers = Features({"price": Numeric(np.ones(DATA.train.n_items, dtype=np.float32))})
    InfoNCE(features=True, epochs=1).fit(replace(DATA.train_valid, item_features=numbers), None, 0)
    SasRec(epochs=1).fit(DATA.train_valid, None, 0)
    return "torch._dynamo" in sys.modules


def test_a_fit_does_not_wait_for_the_compiler() -> None:
    assert not call(imports_the_compiler)


def test_on_a_gpu_both_kinds_of_memory_are_checked(monkeypatch) -> None:
    monkeypatch.setattr(compute, "_current", compute.Compute(device="cuda"))
    monkeypatch.setattr(topk_torch, "BLOCK_SCORES", 1000)
    for short, kind in (("cuda", "GPU"), ("cpu", "main")):
        for name, device in DEVICES.items():
            free = 2**20 if name == short else 2**40
            monkeypatch.setattr(device, "free_bytes", lambda free=free: free)
        with pytest.raises(InputError, match=f"of {kind} memory, 1 MiB are free"):
            memory.check(InfoNCE(**WIDE).resolved(wide(), None), wide())


@pytest.mark.parametrize("examples", ["user", "interaction", "sequence"])
def test_each_of_several_processes_counts_its_own_interactions(examples, monkeypatch) -> None:
    user = np.repeat(np.arange(2000, dtype=np.int32), 50)
    train = Interactions(user, np.tile(np.arange(50, dtype=np.int32), 2000), None, 2000, 50)
    settings = InfoNCE(examples=examples, neighbors=0).resolved(train, None)
    alone = memory.examples(settings, train)
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "1")
    told = memory.examples(settings, train)
    held = [
        each for each in vars(OwnInteractions.of(train, "cpu")).values() if isinstance(each, torch.Tensor)
    ]
    assert sum(each.numel() * each.element_size() for each in held) < told < 0.6 * alone


@pytest.mark.parametrize("model", [InfoNCE, SasRec])
def test_each_of_several_processes_has_its_part_of_a_batch(model, monkeypatch) -> None:
    train = long()
    settings = model(batch_size=800, negatives=2000).resolved(train, None)
    alone = memory._batch(settings, train)
    monkeypatch.setenv("WORLD_SIZE", "4")
    shared = memory._batch(settings, train)
    assert alone / 4 < shared < alone / 2


def test_hard_negatives_count() -> None:
    many = replace(DATA.train_valid, n_users=1_000_000)
    more = needed(many, hard_negatives=2) - needed(many)
    assert more >= 1_000_000 * 100 * 8


def test_what_cannot_fit_is_refused_with_advice(monkeypatch) -> None:
    monkeypatch.setattr(DEVICES["cpu"], "free_bytes", lambda: 10 * memory.MIB)
    said = r"infonce needs about [\d,]+ MiB of main memory, 10 MiB are free: lower embedding_dim \(256\)"
    with pytest.raises(InputError, match=said):
        InfoNCE(**WIDE).fit(wide(), None, 0)


def test_what_two_fits_of_a_run_take_is_said_once(capsys) -> None:
    model = InfoNCE(epochs=1)
    for _ in range(2):
        harness.fit(model, DATA, 0)
        assert capsys.readouterr().out.count("infonce: needs about ") == 1
    InfoNCE(epochs=1).fit(DATA.train_valid, None, 0)
    assert capsys.readouterr().out.count("infonce: needs about ") == 1


def test_features_and_ids_count() -> None:
    many = replace(DATA.train_valid, n_users=1_000_000)
    alone = needed(many, features=False, neighbors=0)
    ids = needed(many, features=False, user_share=0.5, neighbors=0) - alone
    assert ids == pytest.approx(1_000_000 * 64 * 4 * memory.COPIES)
    assert needed(many, features=True, neighbors=0) > alone


def test_available_memory_is_told() -> None:
    assert DEVICES["cpu"].free_bytes() > 100 * memory.MIB
