"""Signals that ask a command to end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, Started, small_log

EPOCHS = 200
RIGHT = "exit code 130 and one line, the checkpoint is kept, --resume goes on, no scratch is left"


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says; each signal a fifth of `tries` times, at moments without chance."""
    data, times = small_log(scratch), max(1, tries // 5)
    ways = {
        "Ctrl-C": (_to_group, signal.SIGINT),
        "SIGTERM to the command": (_to_one, signal.SIGTERM),
        "SIGTERM to all its processes": (_to_group, signal.SIGTERM),
        "a closed terminal (SIGHUP, twice)": (_twice_to_group, signal.SIGHUP),
    }
    rows: list[Row] = []
    for way, (name, (send, number)) in enumerate(ways.items()):
        held = 0
        for attempt in range(times):
            here = Small(data, scratch / f"signals{way}-{attempt}", ("infonce",), EPOCHS)
            held += _asked(here, send, number, seconds=0.3 * (attempt + 1))
        rows.append((f"{name} in training", times, held, RIGHT))
    return rows


def _asked(here: Small, send: Callable[[Started, int], None], number: int, seconds: float) -> bool:
    with here.started() as command:
        if not command.says("needs about"):  # What it says last before it trains.
            return False
        time.sleep(seconds)
        send(command, number)
        code = command.code()
    checkpoints = list((here.runs.parent / "checkpoints").glob("*/*.safetensors"))
    quiet = "Traceback" not in command.text and "stopped; " in command.text
    if code != 130 or not checkpoints or not quiet or here.litter() or here.state() or here.failed():
        return False
    with here.started("--resume") as again:
        return again.says("going on in epoch")


def _to_one(command: Started, number: int) -> None:
    os.kill(command.process.pid, number)


def _to_group(command: Started, number: int) -> None:
    os.killpg(command.process.pid, number)


def _twice_to_group(command: Started, number: int) -> None:
    _to_group(command, number)
    time.sleep(0.05)
    _to_group(command, number)
