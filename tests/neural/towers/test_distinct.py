"""The path that a GPU takes, walked on the CPU: nothing in a step makes the host wait for a result's size."""

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import MODELS
from retrieval_leaderboard.neural.batches.negatives import HardNegatives
from retrieval_leaderboard.neural.towers import distinct
from retrieval_leaderboard.neural.training import trainer as trainer_module
from retrieval_leaderboard.neural.training.optimizer import of_rows
from retrieval_leaderboard.neural.training.trainer import batch_loss
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices.cpu import Cpu
from tests.neural.trainers import trainer_of

SMALL = {"embedding_dim": 16, "batch_size": 20, "negatives": 12, "epochs": 4, "id_dropout": 0.0}
WAITING = ("nonzero", "_unique2", "unique_dim", "unique_consecutive", "_local_scalar_dense", "masked_select")


class Watch(TorchDispatchMode):
    """Notes every operation for which a GPU's host would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        indices = args[1] if name in ("index", "index_put", "index_put_", "_index_put_impl_") else ()
        by_mask = any(each is not None and each.dtype == torch.bool for each in indices)
        uncounted = name == "repeat_interleave" and (kwargs or {}).get("output_size") is None
        if name in WAITING or by_mask or uncounted:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def walk_like_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr(Cpu, "asynchronous", True)


@pytest.fixture
def like_a_gpu(monkeypatch):
    walk_like_a_gpu(monkeypatch)


def train():
    """With an item more, the last one, that nobody took."""
    log = planted().train_valid
    features = Features({"block": log.item_features["block"].with_unknown()})
    times = log.timestamp * 3600
    return replace(log, timestamp=times, n_items=log.n_items + 1, item_features=features)


def test_marks_find_what_a_sort_finds() -> None:
    few, many = torch.tensor([[70, 3, 3], [99, 70, 3]]), torch.tensor([[7, 3, 3], [9, 7, 3]])
    for ids, filler in ((few, 100), (many, 10)):
        values, place = distinct.distinct(ids, filler)
        assert values.tolist() == sorted(set(ids.flatten().tolist()))
        assert torch.equal(values[place], ids)


@pytest.mark.parametrize("filler", [10, 10_000])
def test_lists_of_all_numbers_find_what_a_search_finds(filler) -> None:
    ordered, items = torch.tensor([2, 5, 9]), torch.tensor([9, 3, 2, 0, 9])
    found, place = distinct.where_in(ordered, items, filler)
    assert found.tolist() == [True, False, True, False, True]
    assert place[found].tolist() == [2, 0, 2]
    assert distinct.all_different(ordered, filler) and not distinct.all_different(items, filler)


def test_distinct_fills_unused_places(like_a_gpu) -> None:
    ids = torch.tensor([7, 3, 3, 9, 7, 3])
    values, place = distinct.distinct(ids, 10)
    assert values.tolist() == [3, 7, 9, 10, 10, 10]
    assert torch.equal(values[place], ids)


@pytest.mark.parametrize("settings", [
    {},
    {"examples": "interaction", "context": True},
    {"features": True, "user_share": 0.3, "mlp": "8", "interaction": "cross", "norm": "layer"},
    {"features": True, "mlp": "8-8", "interaction": "fm", "dropout": 0.1, "id_dropout": 0.1},
    {"history_dropout": 0.1},
    {"history_encoder": "user_attention", "user_share": 0.3, "negative_exponent": 0.75, "examples": "user"},
    {"history_encoder": "self_attention", "max_history": 4, "examples": "interaction"},
    {"examples": "sequence", "history_encoder": "causal", "max_history": 4, "dropout": 0.1, "context": True},
    {"neighbors": 3, "examples": "interaction"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("model", MODELS)
def test_a_step_never_waits(model, settings, precision, like_a_gpu, monkeypatch) -> None:
    monkeypatch.setattr(compute, "_current", compute.Compute(1, "cpu", precision))
    trainer = trainer_of(model(**(SMALL | settings)), train(), 0)
    if trainer.settings.in_batch:
        hard = HardNegatives(1, "cpu")
        hard.lists = torch.randint(32, (48, 5), dtype=torch.int32)
        trainer.batcher.samplers.append(hard)
    made = trainer.batcher.epoch(trainer.examples())
    with Watch() as watch:
        for _ in range(2):
            trainer.step(next(made))
    assert watch.seen == []


def test_the_watch_sees_what_waits() -> None:
    numbers = torch.arange(5)
    with Watch() as watch:
        torch.nonzero(numbers)
        torch.unique(numbers)
        numbers[numbers > 2]
        numbers.sum().item()
        torch.repeat_interleave(numbers, numbers)
    assert len(watch.seen) == 5


@pytest.mark.parametrize("added", [0, 3])
@pytest.mark.parametrize("model", MODELS)
def test_both_paths_have_the_same_gradients(model, added, monkeypatch) -> None:
    def gradients() -> list[torch.Tensor]:
        """The loss, then the gradient of every row of every table and of every parameter."""
        settings = SMALL | {
            "features": True,
            "user_share": 0.3,
            "mlp": "8",
            "neighbors": added,
            "dropout": 0.0,
        }
        trainer = trainer_of(model(**settings), train(), 0)
        found = []
        for batch in trainer.batcher.epoch(trainer.examples()):
            loss = batch_loss(trainer.loss, trainer.towers, batch)
            loss.backward()
            trainer.optimizer.collect()
            found.append(loss.detach())
            assert torch.isfinite(loss)
            for table, part in zip(trainer.optimizer.tables, trainer.optimizer.touched, strict=True):
                rows = of_rows(part)
                found.append(torch.zeros_like(table.weight).index_add(0, rows.row, rows.leaf.grad))
            found += [each.grad.clone() for each in trainer.optimizer.dense if each.grad is not None]
            trainer.optimizer.zero_grad()
        return found

    plain = gradients()
    walk_like_a_gpu(monkeypatch)
    torch.testing.assert_close(gradients(), plain)


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize(
    "settings", [{"examples": "interaction"}, {"shared_history": True, "user_share": 0.3}]
)
@pytest.mark.parametrize("model", MODELS)
def test_both_paths_take_the_same_steps_with_neighbors(model, settings, clipped, monkeypatch) -> None:
    def weights() -> list[torch.Tensor]:
        trainer = trainer_of(model(**(SMALL | settings | {"neighbors": 3})), train(), 0)
        trainer.optimizer.param_groups[0]["eps"] = 0.1  # A small one would blow rounding up.
        made = trainer.batcher.epoch(trainer.examples())
        for _ in range(3):
            trainer.step(next(made))
        return [each.clone() for each in trainer.towers.trained()]

    monkeypatch.setattr(trainer_module, "CLIP_NORM", 0.05 if clipped else 10.0)
    plain = weights()
    walk_like_a_gpu(monkeypatch)
    torch.testing.assert_close(weights(), plain, rtol=1e-5, atol=1e-6)
