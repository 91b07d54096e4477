"""Kills of a command and of the processes of its runs."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, kill, small_log, until, workers

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

    early = [_child_killed(fresh(), whole, rng.uniform(0, FIRST_SECONDS)) for _ in range(tries)]
    later = [_child_killed(fresh(), whole, rng.uniform(0, ANY_SECONDS)) for _ in range(tries)]
    done = fresh(("item_cf",))
    done.ended().check_returncode()
    renamed = [_killed_at_rename(done, number) for number in RENAMES]
    forced = [_force_fails(done, rng.uniform(0, FIRST_SECONDS)) for _ in range(tries)]
    failing = 'one row says "killed by SIGKILL", the other models are run, and the next command mends it'
    return [
        ("kill -9 of the command, any moment", *_command_killed(fresh(), whole, rng, tries),
         "finished runs stay, the next command goes on to the same bits, and no scratch is left"),
        ("kill -9 of a run's process in its first half second", tries, sum(early), failing),
        ("kill -9 of a run's process, any moment", tries, sum(later), failing),
        ("kill -9 before each rename of a --force run", len(RENAMES), sum(renamed),
         "the next command finds the old run or the new one, whole"),
        ("kill -9 of the process of a --force run", tries, sum(forced),
         "exit code 1, and the run that was done before is kept"),
    ]  # fmt: skip


def _command_killed(here: Small, whole: Small, rng: random.Random, tries: int) -> tuple[int, int]:
    """Kill, go on, kill again; a new folder wherever a command came to its end."""
    held, right = 0, whole.state()
    for number in range(tries):
        before = here.state()
        with here.started() as command:
            time.sleep(rng.uniform(0.2, 5))
            kill(command.process.pid, signal.SIGKILL)
            command.process.wait()
        after = here.state()
        good = before.items() <= after.items() <= right.items() and not here.failed()
        if command.process.returncode == 0 or number == tries - 1:
            good = good and here.ended().returncode == 0 and here.state() == right and not here.litter()
            here = replace(here, results=here.results.with_name(f"{here.results.name}-{number}"))
        held += good
    return tries, held


def _child_killed(here: Small, whole: Small, seconds: float) -> bool:
    with here.started() as command:
        if not until(lambda: workers(command.process.pid), command.process):
            return False
        time.sleep(seconds)
        struck = workers(command.process.pid)
        for pid in struck:
            kill(pid, signal.SIGKILL)
        code, failed = command.code(), here.failed()
    named = len(failed) <= 1 and all("killed by SIGKILL" in reason for reason in failed)
    ended = code == (1 if failed else 0) and "Traceback" not in command.text
    right = {name: each for name, each in whole.state().items() if name.rpartition("-seed")[0] in here.models}
    others = len(here.state()) == len(here.models) - len(failed)
    return named and ended and others and here.ended().returncode == 0 and here.state() == right


def _killed_at_rename(here: Small, number: int) -> bool:
    before = here.state()
    with here.started("--force", start=("-m", "benchmarks.torture.victim", str(number))) as command:
        killed = command.code() == -signal.SIGKILL
    again = here.ended()
    found = again.returncode == 0 and "done before" in again.stdout
    return killed and found and bool(before) and here.state() == before and not here.litter()


def _force_fails(here: Small, seconds: float) -> bool:
    before = here.state()
    with here.started("--force") as command:
        until(lambda: workers(command.process.pid), command.process)
        time.sleep(seconds)
        for pid in workers(command.process.pid):
            kill(pid, signal.SIGKILL)
        code = command.code()
    kept = "the run that was done before is kept" in command.text
    return (
        bool(before)
        and here.state() == before
        and not here.failed()
        and (code, kept) in {(1, True), (0, False)}
    )
