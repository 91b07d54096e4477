"""What processes that train together tell each other."""

from typing import Any

import numpy as np
import pytest
import torch

from retrieval_leaderboard.support import ranks
from retrieval_leaderboard.support.errors import InputError
from tests.support.two_ranks import in_ranks, needs_ranks


def talk() -> dict[str, Any]:
    here = ranks.rank()
    return {
        "main": ranks.is_main(),
        "world": ranks.world(),
        "broadcast": ranks.broadcast({"from": here}),
        "gather": ranks.gather(f"rank {here}"),
        "array": ranks.sum_over(np.array([1.5, here])).tolist(),
        "tensor": ranks.sum_over(torch.tensor([here, 2])).tolist(),
    }


@needs_ranks
def test_two_processes_tell_each_other() -> None:
    same = {
        "world": 2, "broadcast": {"from": 0}, "gather": ["rank 0", "rank 1"],
        "array": [3.0, 1.0], "tensor": [1, 4],
    }  # fmt: skip
    assert in_ranks(talk) == [{"main": True} | same, {"main": False} | same]


def test_one_process_answers_itself() -> None:
    values = np.array([1, 2])
    assert talk() == {
        "main": True, "world": 1, "broadcast": {"from": 0}, "gather": ["rank 0"],
        "array": [1.5, 0.0], "tensor": [0, 2],
    }  # fmt: skip
    assert ranks.sum_over(values) is not values
    ranks.start("cpu")
    ranks.stop()


def test_without_torch_distributed_it_says_so(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(ranks, "available", lambda: "this PyTorch has none")
    with pytest.raises(InputError, match="2 processes cannot train together: this PyTorch has none"):
        ranks.start("cpu")
