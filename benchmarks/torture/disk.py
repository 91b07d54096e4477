"""A full disk: files that may not grow beyond a limit, and a file system with few kilobytes."""

from __future__ import annotations

import itertools
import random
import resource
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import PATIENCE, ROOT, Small, small_log, struck

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
    numbers = itertools.count()

    def fresh(models: tuple[str, ...] = whole.models) -> Small:
        return replace(whole, results=scratch / f"disk{next(numbers)}", models=models)

    def small_files() -> bool | None:
        return _limited(fresh(), whole, int(LIMITS[0] * (LIMITS[1] / LIMITS[0]) ** rng.random()))

    def small_files_of_a_search() -> bool | None:
        return _limited(fresh(("item_cf",)), None, rng.randrange(1000, 120_000), "--tune", "2")

    rows: list[Row] = [
        ("no file may grow beyond 0.1 to 9 KB", tries, struck(tries, small_files), RIGHT),
        ("the same under a search, 1 to 120 KB", tries, struck(tries, small_files_of_a_search), RIGHT),
    ]
    if _may_mount():
        tiny = struck(tries, lambda: _on_tiny_disk(fresh(), whole, rng.randint(*SIZES)))
        rows.append((f"a disk of {SIZES[0]} to {SIZES[1]} KiB", tries, tiny, RIGHT))
    return rows


def _may_mount() -> bool:
    """Whether this user may have a name space with file systems of its own."""
    if shutil.which(UNSHARE[0]) is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def _on_tiny_disk(here: Small, whole: Small, kib: int) -> bool | None:
    mounted = here.results.with_name(f"{here.results.name}-disk")
    for folder in (mounted, here.results):
        folder.mkdir()
    words = [str(kib), str(mounted), str(here.results), *replace(here, results=mounted).line()]
    line = [*UNSHARE, "sh", "-c", TINY, "sh", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return _follows(done, here, whole, ())


def _limited(here: Small, whole: Small | None, limit: int, *more: str) -> bool | None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return _follows(here.ended(*more, preexec_fn=little_room), here, whole, more)


def _follows(
    done: subprocess.CompletedProcess[str], here: Small, whole: Small | None, more: tuple[str, ...]
) -> bool | None:
    """Whether what follows is right; None where it is and there was room."""
    lines = done.stderr.strip().splitlines()
    stopped = done.returncode == 2 and len(lines) == 1 and lines[0].startswith("error: cannot ")
    tidy = "Traceback" not in done.stdout and not here.failed() and not here.litter()
    right = (stopped or done.returncode == 0) and tidy and _goes_on(here, whole, more)
    return None if right and done.returncode == 0 else right


def _goes_on(here: Small, whole: Small | None, more: tuple[str, ...]) -> bool:
    again = here.ended(*more)
    for config in (here.results.parent / "configs").glob("*"):
        config.unlink()
    return again.returncode == 0 and (whole is None or here.state() == whole.state())
