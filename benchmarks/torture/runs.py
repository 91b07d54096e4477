"""Kills of a command and of the processes of its runs."""

from __future__ import annotations

import itertools
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, kill, small_log, struck, until, workers

FIRST_SECONDS, ANY_SECONDS = 0.5, 3.0
RENAMES = (1, 2)
"""With --force: the old run set aside, the new one put in its place."""


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    whole = Small(small_log(scratch), scratch / "whole")
    whole.ended().check_returncode()
    numbers = iter(range(1_000_000))

    def fresh(models: tuple[str, ...] = whole.models) -> Small:
        return replace(whole, results=scratch / f"runs{next(numbers)}", models=models)

    early = struck(tries, lambda: _child_killed(fresh(), whole, rng.uniform(0, FIRST_SECONDS)))
    later = struck(tries, lambda: _child_killed(fresh(), whole, rng.uniform(0, ANY_SECONDS)))
    done = fresh(("item_cf",))
    done.ended().check_returncode()
    renamed = [_killed_at_rename(done, number) for number in RENAMES]
    forced = struck(tries, lambda: _force_fails(done, rng.uniform(0, FIRST_SECONDS)))
    failing = 'one row says "killed by SIGKILL", the other models are run, and the next command mends it'
    return [
        ("kill -9 of the command, any moment", *_command_killed(fresh(), whole, rng, tries),
         "finished runs stay, the next command goes on to the same bits, and no scratch is left"),
        ("kill -9 of a run's process in its first half second", tries, early, failing),
        ("kill -9 of a run's process, any moment", tries, later, failing),
        ("kill -9 before each rename of a --force run", len(RENAMES), sum(renamed),
         "the next command finds the old run or the new one, whole"),
        ("kill -9 of the process of a --force run", tries, forced,
         "exit code 1, and the run that was done before is kept"),
    ]  # fmt: skip


def _command_killed(here: Small, whole: Small, rng: random.Random, tries: int) -> tuple[int, int]:
    """Kill, go on, kill again; a new folder wherever a command came to its end before, which is no try."""
    held, killed, right = 0, 0, whole.state()
    for number in itertools.count():
        before = here.state()
        with here.started() as command:
            time.sleep(rng.uniform(0.2, 5))
            kill(command.process.pid, signal.SIGKILL)
            command.process.wait()
        after = here.state()
        good = before.items() <= after.items() <= right.items() and not here.failed()
        ended = command.process.returncode == 0
        killed += not ended
        if ended or killed == tries:
            good = good and here.ended().returncode == 0 and here.state() == right and not here.litter()
            here = replace(here, results=here.results.with_name(f"{here.results.name}-{number}"))
        held += good and not ended
        if killed == tries or not good:
            break
    return tries, held


def _child_killed(here: Small, whole: Small, seconds: float) -> bool | None:
    """Whether what follows is right; None where every run had come to its end before."""
    with here.started() as command:
        if not until(lambda: workers(command.process.pid), command.process):
            return False
        time.sleep(seconds)
        for pid in workers(command.process.pid):
            kill(pid, signal.SIGKILL)
        code, failed = command.code(), here.failed()
    right = {name: each for name, each in whole.state().items() if name.rpartition("-seed")[0] in here.models}
    if code == 0 and here.state() == right:
        return None
    named = len(failed) == 1 and "killed by SIGKILL" in failed[0]
    ended = code == 1 and "Traceback" not in command.text
    others = len(here.state()) == len(here.models) - len(failed)
    return named and ended and others and here.ended().returncode == 0 and here.state() == right


def _killed_at_rename(here: Small, number: int) -> bool:
    before = here.state()
    with here.started("--force", start=("-m", "benchmarks.torture.victim", str(number))) as command:
        killed = command.code() == -signal.SIGKILL
    again = here.ended()
    found = again.returncode == 0 and "done before" in again.stdout
    return killed and found and bool(before) and here.state() == before and not here.litter()


def _force_fails(here: Small, seconds: float) -> bool | None:
    """Whether what follows is right; None where it is and the run came to its end before."""
    before = here.state()
    with here.started("--force") as command:
        until(lambda: workers(command.process.pid), command.process)
        time.sleep(seconds)
        for pid in workers(command.process.pid):
            kill(pid, signal.SIGKILL)
        code = command.code()
    kept = "the run that was done before is kept" in command.text
    same = bool(before) and here.state() == before and not here.failed()
    if same and (code, kept) == (0, False):
        return None
    return same and (code, kept) == (1, True)
