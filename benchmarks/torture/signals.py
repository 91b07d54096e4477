"""Signals that ask a command to end."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, Started, small_log

EPOCHS = 200
RIGHT = "exit code 130 and one line, the checkpoint is kept, --resume goes on, no scratch is left"


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says; each signal a fifth of `tries` times, at moments without chance.

    A training that was stopped as it should be is the next one's victim as soon as it goes on.
    """
    data, times = small_log(scratch), max(1, tries // 5)
    ways = {
        "Ctrl-C": (_to_group, signal.SIGINT),
        "SIGTERM to the command": (_to_one, signal.SIGTERM),
        "SIGTERM to all its processes": (_to_group, signal.SIGTERM),
        "a closed terminal (SIGHUP, twice)": (_twice_to_group, signal.SIGHUP),
    }
    held, before = dict.fromkeys(ways, 0), ""
    for number, (name, attempt) in enumerate(itertools.product(ways, range(times))):
        if not before:
            here = Small(data, scratch / f"signals{number}", ("infonce",), EPOCHS)
        began = time.time_ns()
        with _training(here, resumes=bool(before)) as (command, trains):
            if before:
                held[before] += trains
            code = _asked(command, *ways[name], 0.3 * (attempt + 1)) if trains else None
        before = name if _stopped(here, command, code, began) else ""
    if before:
        with _training(here, resumes=True) as (_, trains):
            held[before] += trains
    return [(f"{name} in training", times, held[name], RIGHT) for name in ways]


@contextmanager
def _training(here: Small, resumes: bool) -> Iterator[tuple[Started, bool]]:
    """Yields a command, and whether it came to train, or to go on with it."""
    said = "going on in epoch" if resumes else "needs about"  # What it says last before it trains.
    with here.started(*(["--resume"] if resumes else [])) as command:
        yield command, command.says(said)


def _asked(command: Started, send: Callable[[Started, int], None], number: int, seconds: float) -> int | None:
    """The exit code after a signal that is sent after so many seconds."""
    time.sleep(seconds)
    send(command, number)
    return command.code()


def _stopped(here: Small, command: Started, code: int | None, began: int) -> bool:
    """Whether it ended as it should, with a checkpoint that is newer than `began`, in ns."""
    checkpoints = (here.runs.parent / "checkpoints").glob("*/*.safetensors")
    kept = any(path.stat().st_mtime_ns > began for path in checkpoints)
    quiet = "Traceback" not in command.text and "stopped; " in command.text
    return code == 130 and kept and quiet and not (here.litter() or here.state() or here.failed())


def _to_one(command: Started, number: int) -> None:
    os.kill(command.process.pid, number)


def _to_group(command: Started, number: int) -> None:
    os.killpg(command.process.pid, number)


def _twice_to_group(command: Started, number: int) -> None:
    _to_group(command, number)
    time.sleep(0.05)
    _to_group(command, number)
