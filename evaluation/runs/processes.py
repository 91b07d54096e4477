"""How many processes train a model together, and who starts them: this command, or torchrun."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support import compute, progress, ranks
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import cores

LOOPBACK = "127.0.0.1"


class Processes(Protocol):
    """Those that train together."""

    world: int
    """How many there are, on all machines"""
    by_torchrun: ClassVar[bool]
    """Whether torchrun started them, with a command each"""

    @property
    def on_this_machine(self) -> int:
        """How many of them are here."""
        ...

    def lead(self, data: Dataset) -> None:
        """Have commands that follow this one load the same data."""

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the process of rank 0 returns when all call `function(*args)`; raises as `isolation.call`."""
        ...


@dataclass
class Local:
    """Processes that this command starts, on this machine."""

    world: int = 1
    by_torchrun: ClassVar[bool] = False

    @property
    def on_this_machine(self) -> int:
        """All of them."""
        return self.world

    def lead(self, data: Dataset) -> None:
        """Nobody follows: each process is handed the data with its task."""

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """In fresh processes that share the threads of this one."""
        if self.world == 1:
            return isolation.call(function, *args)
        port = free_port()
        threads = compute.thread_variables(max(1, compute.current().threads // self.world))
        places = [
            threads | place(rank, self.world, rank, self.world, LOOPBACK, port) for rank in range(self.world)
        ]
        return isolation.call_together(places, function, *args)


_current: Processes = Local()


def current() -> Processes:
    """Those chosen by `choose`; one before that."""
    return _current


def choose(processes: Processes) -> None:
    """Have models that can be trained by several processes trained by these from now on."""
    global _current
    _current = processes


def call(model: type[Retriever], function: Callable[..., Any], *args: Any) -> Any:
    """What `function(*args)`, which fits a `model`, returns in a fresh process; as `isolation.call`.

    Where several are chosen and the model can be trained by them, all call it, and that of rank 0 answers.
    """
    return (_current if model.distributed else Local()).call(function, *args)


def check(team: Processes, device: str) -> None:
    """Refuse processes that cannot train together; more of them than cores are said.

    Raises:
        InputError: this PyTorch cannot, or there are more processes than GPUs here.
    """
    here = team.on_this_machine
    if reason := ranks.available():
        raise InputError(f"{team.world} processes cannot train together: {reason}; train in one")
    gpus = DEVICES[device].count()
    if gpus is not None and here > gpus:
        raise InputError(f"{here} processes cannot share {gpus} GPUs: start as many as there are GPUs")
    if gpus is None and here > cores.affinity():
        progress.say(f"more processes ({here}) than cores ({cores.affinity()}): they take turns")


def place(
    rank: int, world: int, local_rank: int, local_world: int, address: str, port: int
) -> dict[str, str]:
    """The variables by which a process knows its place among those that train together (see `ranks`)."""
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_RANK": str(local_rank),
        "LOCAL_WORLD_SIZE": str(local_world),
        "MASTER_ADDR": address,
        "MASTER_PORT": str(port),
    }


def free_port(address: str = LOOPBACK) -> int:
    """A port that nothing listens on now."""
    with socket.socket() as listening:
        listening.bind((address, 0))
        return listening.getsockname()[1]
