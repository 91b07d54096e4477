"""Commands that torchrun started together: that of rank 0 does all that is done once, the others train along.

They talk through torchrun's store. Each starts a process of its own for every training, and these reach each
other by a port of the machine of rank 0.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.runs import isolation, processes
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from torch.distributed import Store

STARTED = "TORCHELASTIC_RUN_ID"
"""The variable that only torchrun sets"""
PLACE = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK")
LISTEN_SECONDS = 0.1
"""Between two looks into the store"""


class Torchrun:
    """One of the commands that torchrun started."""

    by_torchrun: ClassVar[bool] = True

    def __init__(self) -> None:
        """Takes the variables of torchrun out of the environment: what this process starts may be alone."""
        place = {name: int(os.environ.pop(name)) for name in PLACE}
        self.rank, self.world = place["RANK"], place["WORLD_SIZE"]
        self.local_rank, self.on_this_machine = place["LOCAL_RANK"], place["LOCAL_WORLD_SIZE"]
        self.machine = place["GROUP_RANK"]
        self.address, self.port = os.environ.pop("MASTER_ADDR"), int(os.environ.pop("MASTER_PORT"))
        self.attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self.stored_by_agent = os.environ.pop("TORCHELASTIC_USE_AGENT_STORE", "") == "True"
        self.words, self.calls = 0, 0
        """So many were said, or heard, and so many trainings were among them."""

    @cached_property
    def store(self) -> Store:
        """That which all commands share."""
        from torch.distributed import PrefixStore, TCPStore

        serves = self.rank == 0 and not self.stored_by_agent
        store = TCPStore(self.address, self.port, is_master=serves, wait_for_workers=False)
        return PrefixStore(f"retrieval_leaderboard/{self.attempt}", store)

    def lead(self, data: Dataset) -> None:
        """Have the others load the data too, as rank 0 has."""
        self._say(data.fingerprint)
        self.store.set(f"loaded/{self.machine}", "")

    def release(self) -> None:
        """Let the others end."""
        with suppress(RuntimeError):  # torchrun itself may have ended.
            self._say(None)

    def follow(self, load: Callable[[], Dataset]) -> int:
        """Load the data and train along until rank 0 lets go; the exit code.

        Raises:
            InputError: it is other data than rank 0's.
        """
        progress.configure(quiet=True)
        fingerprint = self._heard()
        if fingerprint is None:
            return 0
        if self.local_rank:  # What is prepared on disk is prepared once on each machine.
            self._await(f"loaded/{self.machine}")
        data = load()
        self.store.set(f"loaded/{self.machine}", "")
        if data.fingerprint != fingerprint:
            raise InputError(
                f"rank {self.rank} of {self.world} has loaded data of fingerprint {data.fingerprint} and "
                f"rank 0 {fingerprint}: give all machines the same files"
            )
        progress.configure(quiet=True)
        while (work := self._heard(data)) is not None:
            with suppress(isolation.Crash):  # Rank 0 is told.
                self._train(*work)
        return 0

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """As `Processes.call`; of rank 0."""
        work = processes.free_port(""), function, args
        self._say(work)
        try:
            return self._train(*work)
        except isolation.Crash as crash:
            time.sleep(0 if crash.died else 2 * isolation.LOOK_SECONDS)
            raise isolation.root_cause({self.rank: crash} | self._crashes(), self.world) from crash

    def _train(self, port: int, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """What `function(*args)` returns in a process of this command's; the others are told of a crash."""
        self.calls += 1
        place = processes.place(
            self.rank, self.world, self.local_rank, self.on_this_machine, self.address, port
        )
        try:
            return isolation.call_together([place], function, *args, watch=self._watch())
        except isolation.Crash as crash:
            self.store.set(f"crash/{self.calls}/{self.rank}", pickle.dumps(crash))  # type: ignore[arg-type]
            raise

    def _watch(self) -> Callable[[], None]:
        """What ends our process where another's crashed and ours does not notice."""
        last = math.inf

        def watch() -> None:
            nonlocal last
            if crashes := self._crashes():
                last = min(last, time.monotonic() + isolation.FOLLOW_SECONDS)
            if time.monotonic() > last:
                raise isolation.root_cause(crashes, self.world)

        return watch

    def _crashes(self) -> dict[int, Exception]:
        """Of the processes of this training, by rank."""
        keys = {rank: f"crash/{self.calls}/{rank}" for rank in range(self.world)}
        told = {rank: key for rank, key in keys.items() if self.store.check([key])}
        return {rank: pickle.loads(self.store.get(key)) for rank, key in told.items()}

    def _say(self, word: Any) -> None:
        self.words += 1
        self.store.set(f"word/{self.words}", _pickled(word))  # type: ignore[arg-type]

    def _heard(self, data: Dataset | None = None) -> Any:
        """The next word; its dataset is `data`."""
        self.words += 1
        return _Unpickler(io.BytesIO(self._await(f"word/{self.words}")), data).load()

    def _await(self, key: str) -> bytes:
        while not self.store.check([key]):
            time.sleep(LISTEN_SECONDS)
        return self.store.get(key)


def started() -> bool:
    """Whether torchrun started this command."""
    return STARTED in os.environ and "RANK" in os.environ


class _Pickler(pickle.Pickler):
    """Leaves the dataset out: every command has it."""

    def persistent_id(self, each: Any) -> str | None:
        return "dataset" if isinstance(each, Dataset) else None


def _pickled(word: Any) -> bytes:
    written = io.BytesIO()
    _Pickler(written).dump(word)
    return written.getvalue()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, data: Dataset | None) -> None:
        super().__init__(file)
        self.data = data

    def persistent_load(self, _: str) -> Dataset | None:
        return self.data
