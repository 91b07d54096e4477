"""The processes that train one model together: one, or as many as torchrun started.

Each has a rank, from 0 on, which torchrun says by environment variables; they reach each other after `start`.
Where there is one process, every function answers at once, without PyTorch.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Value = TypeVar("Value")
Summed = TypeVar("Summed", "Tensor", npt.NDArray[Any])

PATIENCE = timedelta(minutes=30)
"""For which a process waits for the others: one of them may be scoring or reading data"""
PLACE = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
"""The variables that say which of the processes this one is"""
HERE = {"127.0.0.1", "localhost", "::1"}


def rank() -> int:
    """Which of the processes this one is."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Which of the processes on this machine this one is: the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_world() -> int:
    """How many of the processes are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the process that writes and prints."""
    return rank() == 0


def available() -> str:
    """Why this PyTorch cannot join processes; empty where it can."""
    if find_spec("torch") is None:
        return "PyTorch is not installed"
    from torch import distributed

    if not distributed.is_available() or not distributed.is_gloo_available():
        return "this PyTorch has no torch.distributed with gloo"
    return ""


def start(device: str) -> None:
    """Join the processes: by gloo for what is in main memory, and by NCCL for what is on GPUs.

    Each process takes the GPU of its number on its machine, as "cuda". Call it once, before anything is put
    on a GPU.

    Raises:
        InputError: this PyTorch cannot, or this machine has fewer GPUs than processes.
    """
    if world() == 1:
        return
    if reason := available():
        raise InputError(f"{world()} processes cannot train together: {reason}")
    import torch
    from torch import distributed

    if os.environ.get("MASTER_ADDR", "") in HERE:
        names = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
        os.environ.setdefault("GLOO_SOCKET_IFNAME", names[0] if names else "lo")
    if device == "cuda":
        if local_rank() >= torch.cuda.device_count():
            raise InputError(
                f"process {local_rank()} of this machine has no GPU, of {torch.cuda.device_count()}: start "
                "as many processes as there are GPUs"
            )
        torch.cuda.set_device(local_rank())
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)


def stop() -> None:
    """Leave the other processes, to be alone from then on; call it once at the end."""
    if world() == 1:
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
    for name in PLACE:
        os.environ.pop(name, None)


def broadcast(value: Value) -> Value:
    """What rank 0 gives; any object that can be pickled, the same in all processes."""
    if world() == 1:
        return value
    from torch import distributed

    given = [value]
    distributed.broadcast_object_list(given, src=0)
    return given[0]


def gather(value: Value) -> list[Value]:
    """What each of the processes gives, by rank; any object that can be pickled."""
    if world() == 1:
        return [value]
    from torch import distributed

    found: list[Any] = [None] * world()
    distributed.all_gather_object(found, value)
    return found


def sum_over(values: Summed) -> Summed:
    """The sum of an array or tensor over all processes, of the same shape in each; a new one."""
    if world() == 1:
        return values.copy() if isinstance(values, np.ndarray) else values.clone()
    import torch
    from torch import distributed

    if isinstance(values, np.ndarray):
        summed = torch.from_numpy(values.copy())
        distributed.all_reduce(summed)
        return summed.numpy()
    summed = values.detach().clone()
    distributed.all_reduce(summed)
    return summed
