import numpy as np
import pytest
import torch
from torch import nn

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.dssm_bce import DssmBce
from retrieval_leaderboard.neural.infonce import InfoNCE
from retrieval_leaderboard.neural.sasrec import SasRec
from retrieval_leaderboard.neural.simplex_ccl import SimpleX
from retrieval_leaderboard.neural.training import exact
from retrieval_leaderboard.support import compute
from tests.neural.trainers import trainer_of

MANY = 40_000
"""Beyond what PyTorch gives to one thread."""


def with_gradients(function, *inputs):
    """The result and the gradients of its inputs under one that differs from place to place."""
    leaves = [each.clone().requires_grad_() if each.is_floating_point() else each for each in inputs]
    result = function(*leaves)
    result.backward(torch.linspace(0.1, 1, result.numel()).view_as(result))
    return result.detach(), *(each.grad for each in leaves if each.is_floating_point())


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


PAIRS = {
    "total": (exact.total, torch.sum, [normal(MANY) + 1]),
    "softplus": (exact.softplus, nn.functional.softplus, [20 * normal(MANY)]),
    "of pairs": (exact.of_pairs, lambda values, row: values[row], [normal(99), torch.arange(MANY) * 7 % 99]),
}


@pytest.mark.parametrize("case", PAIRS)
def test_operations_are_those_of_pytorch(case):
    ours, theirs, inputs = PAIRS[case]
    for mine, other in zip(with_gradients(ours, *inputs), with_gradients(theirs, *inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm"])
@pytest.mark.parametrize("rows", [2, 33])
def test_normalizations_are_those_of_pytorch(kind, rows):
    ours, theirs = (
        getattr(exact, kind)(48),
        {"LayerNorm": nn.LayerNorm, "BatchNorm": nn.BatchNorm1d}[kind](48),
    )
    for each in (ours, theirs):
        each.weight.data, each.bias.data = normal(48), normal(2, 48)[1]
    for _ in range(2):
        results = [with_gradients(each, 3 * normal(rows, 48) + 5) for each in (ours, theirs)]
        for mine, other in zip(*results, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad, rtol=1e-4, atol=1e-5)
    same = normal(5, 48)
    torch.testing.assert_close(ours.eval()(same), theirs.eval()(same), rtol=1e-4, atol=1e-5)


def test_batch_normalization_of_one_row_is_by_the_running_means():
    norm = exact.BatchNorm(4)
    norm(normal(64, 4))
    running = norm.running_mean.clone()
    one = normal(1, 4)
    torch.testing.assert_close(norm(one), norm.eval()(one))
    torch.testing.assert_close(norm.running_mean, running)


def interactions():
    """1,100 users with 80 items each: the pairs of a batch are more than one thread's."""
    users, each, items = 1_100, 80, 900
    rng = np.random.default_rng(0)
    taken = np.concatenate([rng.choice(items, each, replace=False) for _ in range(users)])
    times = np.tile(np.arange(each), users)
    return Interactions(
        np.repeat(np.arange(users, dtype=np.int32), each), taken.astype(np.int32), times, users, items
    )


LARGE = {"embedding_dim": 64, "batch_size": 1_024, "negatives": 600}
CASES = {
    "layer norm": InfoNCE(**LARGE, mlp="96", norm="layer"),
    "batch norm": DssmBce(**LARGE, mlp="96", norm="batch", examples="user"),
    "user attention": SimpleX(**LARGE, history_encoder="user_attention", examples="user"),
    "self attention": InfoNCE(**LARGE, history_encoder="self_attention", max_history=20),
    "causal": SasRec(**LARGE, max_history=50, dropout=0.2),
    "neighbors": SimpleX(**LARGE, neighbors=10, user_share=0.5),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case == "causal")) for case in CASES]
)
def test_training_does_not_depend_on_the_number_of_threads(case, monkeypatch):
    model, train, states = CASES[case], interactions(), []
    for threads in (1, 2, 3):
        monkeypatch.setattr(compute, "_current", compute.Compute(threads=threads))
        trainer = trainer_of(model, train, seed=0)
        _, batches = trainer._batches(1)
        for _, batch in zip(range(2), batches, strict=False):
            trainer.step(batch)
        model.settle(train, None)
        model.set_towers(trainer.towers, train)
        queries = train.queries(np.arange(train.n_users))
        states.append([model.encode_queries(queries), model.encode_items()])
    for other in states[1:]:
        for ours, theirs in zip(states[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
