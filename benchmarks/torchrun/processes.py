"""A function in several processes that train together, on loopback."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from retrieval_leaderboard.support import compute, ranks


def in_ranks(work: Callable[..., Any], *args: Any, world: int = 2) -> list[Any]:
    """What `work(*args)`, a function of a module, returns in each of `world` processes, by rank."""
    from torch import multiprocessing

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        multiprocessing.spawn(_one, (world, port, Path(folder), work, args), nprocs=world)
        return [pickle.loads((Path(folder) / str(rank)).read_bytes()) for rank in range(world)]


def _one(rank: int, world: int, port: int, folder: Path, work: Callable[..., Any], args: Any) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    compute.configure("cpu", "fp32", threads=1)
    ranks.start("cpu")
    (folder / str(rank)).write_bytes(pickle.dumps(work(*args)))
    ranks.stop()
