"""What a run's record says of the machine, the code and what it used."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from retrieval_leaderboard import PREFIX, ROOT
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices.cpu import processor

SOURCES = (
    "run_all.py",
    "retrieval_leaderboard",
    "support",
    "datasets",
    "evaluation",
    "baselines",
    "neural",
    "serving",
)
PACKAGES = ("torch", "numpy", "scipy", "numba", "implicit", "pandas", "optuna")


def versions() -> dict[str, str]:
    """Package → version, Python included; packages that are absent are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str:
    """The commit the code stands at, with "+" where it differs from that; "" outside git, and where it is
    installed, perhaps within a repository of something else.
    """
    if PREFIX:
        return ""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", *SOURCES)
    return head + "+" if head and changed else head


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def hardware() -> str:
    """What this process computed on: the processor, and the GPU where tensors were on it."""
    device = compute.device()
    return f"{processor()} with {device.hardware()}" if device.peak_mib() else processor()
