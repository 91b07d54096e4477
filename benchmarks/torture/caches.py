"""Data caches that several processes build at once, and caches with flipped bits."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from unittest import mock

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.mutations import flipped
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support import progress

SCALE, PROCESSES, PATIENCE = 0.001, 4, 300
CODE = f"""
import sys
from pathlib import Path
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support import progress
progress.configure(True)
print("is", load("aliec-sim", Path(sys.argv[1]), scale={SCALE}).fingerprint)
"""


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    progress.configure(quiet=True)
    try:
        right = _fingerprint(scratch, scratch / "whole")
        raced = sum(_race(scratch, scratch / f"race{number}", right) for number in range(tries))
        flips = sum(_flip(scratch, scratch / "whole", right, rng) for _ in range(8 * tries))
    finally:
        progress.configure(quiet=False)
    return [
        (f"{PROCESSES} processes build one cache at once", tries, raced, "one builds, the others wait"),
        ("a bit flipped in a data cache", 8 * tries, flips, "found and built anew: the same data"),
    ]


def _fingerprint(scratch: Path, cache: Path) -> str:
    with mock.patch.dict(os.environ, {"RETRIEVAL_CACHE": str(cache)}):
        return load("aliec-sim", scratch / "none", scale=SCALE).fingerprint


def _race(scratch: Path, cache: Path, right: str) -> bool:
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, str(scratch / "none")],
            cwd=ROOT,
            env=os.environ | {"RETRIEVAL_CACHE": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    results = [command.communicate(timeout=PATIENCE)[0].splitlines()[-1:] for command in commands]
    kept = [path for path in cache.glob("aliec-*") if path.name != "aliec-sim"]
    return results == [[f"is {right}"]] * PROCESSES and len(kept) == 1


def _flip(scratch: Path, cache: Path, right: str, rng: random.Random) -> bool:
    files = sorted(path for path in cache.rglob("*") if path.is_file() and path.name != ".lock")
    path = rng.choice(files)
    path.write_bytes(flipped(path.read_bytes(), rng))
    try:
        return _fingerprint(scratch, cache) == right
    except Exception:
        return False
