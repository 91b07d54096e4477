"""Training that is killed and goes on from its checkpoint."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, small_log, until

EPOCHS = 6
OFTEN = ("--checkpoint-minutes", "0")


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    whole = Small(small_log(scratch), scratch / "whole", ("infonce",), EPOCHS)
    whole.ended().check_returncode()
    held = sum(
        _killed(replace(whole, results=scratch / f"resume{number}"), whole, rng.uniform(0, 1.5))
        for number in range(tries)
    )
    right = "--resume goes on in the epoch, and lists and weights are those of an unbroken run to the bit"
    return [("kill -9 of all processes in training", tries, held, right)]


def _killed(here: Small, whole: Small, seconds: float) -> bool:
    checkpoints = here.runs.parent / "checkpoints"
    with here.started(*OFTEN) as command:
        until(lambda: list(checkpoints.glob("*/*.safetensors")), command.process)
        time.sleep(seconds)
        os.killpg(command.process.pid, signal.SIGKILL)
        command.process.wait()
    ended_before = bool(here.state())
    again = here.ended("--resume")
    went_on = "going on in epoch" in again.stdout or ended_before
    return went_on and here.state() == whole.state() and not checkpoints.exists() and not here.litter()
