"""A full disk: files that may not grow beyond a limit, and a file system with few kilobytes."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import PATIENCE, ROOT, Small, small_log

LIMITS = (100, 9000)
"""Bytes: below the smallest file that a command writes, above most"""
SIZES = (8, 120)
"""KiB of a file system: below what a run takes, above what all take"""
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
TINY = """
mount -t tmpfs -o size="$1"k tmpfs "$2" || exit
disk="$2" kept="$3"; shift 3; "$@"; code=$?
cp -a "$disk/." "$kept"; exit $code
"""
RIGHT = "one sentence and exit code 2, no model marked as failed, nothing half-written; with room it goes on"


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    whole = Small(small_log(scratch), scratch / "whole")
    whole.ended().check_returncode()
    held = tuned = tiny = 0
    for number in range(tries):
        here = replace(whole, results=scratch / f"disk{number}")
        held += _limited(here, whole, int(LIMITS[0] * (LIMITS[1] / LIMITS[0]) ** rng.random()))
        searched = replace(here, results=scratch / f"search{number}", models=("item_cf",))
        tuned += _limited(searched, None, rng.randrange(1000, 120_000), "--tune", "2")
        if _may_mount():
            tiny += _on_tiny_disk(
                replace(here, results=scratch / f"tiny{number}"), whole, rng.randint(*SIZES)
            )
    rows: list[Row] = [
        ("no file may grow beyond 0.1 to 9 KB", tries, held, RIGHT),
        ("the same under a search, 1 to 120 KB", tries, tuned, RIGHT),
    ]
    return [*rows, (f"a disk of {SIZES[0]} to {SIZES[1]} KiB", tries, tiny, RIGHT)] if _may_mount() else rows


def _may_mount() -> bool:
    """Whether this user may have a name space with file systems of its own."""
    if shutil.which(UNSHARE[0]) is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def _on_tiny_disk(here: Small, whole: Small, kib: int) -> bool:
    mounted = here.results.with_name(f"{here.results.name}-disk")
    for folder in (mounted, here.results):
        folder.mkdir()
    words = [str(kib), str(mounted), str(here.results), *replace(here, results=mounted).line()]
    line = [*UNSHARE, "sh", "-c", TINY, "sh", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return _is_right(done, here) and _goes_on(here, whole, ())


def _limited(here: Small, whole: Small | None, limit: int, *more: str) -> bool:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = here.ended(*more, preexec_fn=little_room)
    return _is_right(done, here) and _goes_on(here, whole, more)


def _is_right(done: subprocess.CompletedProcess[str], here: Small) -> bool:
    lines = done.stderr.strip().splitlines()
    stopped = done.returncode == 2 and len(lines) == 1 and lines[0].startswith("error: cannot ")
    return (
        (stopped or done.returncode == 0)
        and "Traceback" not in done.stdout
        and not here.failed()
        and (not here.litter())
    )


def _goes_on(here: Small, whole: Small | None, more: tuple[str, ...]) -> bool:
    again = here.ended(*more)
    for config in (here.results.parent / "configs").glob("*"):
        config.unlink()
    return again.returncode == 0 and (whole is None or here.state() == whole.state())
