"""What a run's record says of the machine, the code and what it used."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from retrieval_leaderboard import ROOT

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
CPUINFO = Path("/proc/cpuinfo")
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
    """The commit the code stands at, with "+" where it differs from that; "" outside git."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", *SOURCES)
    return head + "+" if head and changed else head


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def processor() -> str:
    """The CPU's name, as the system gives it, with family and model, without which a virtual machine's says
    little: how a processor rounds depends on them.
    """
    if CPUINFO.is_file():
        text = CPUINFO.read_text()
        found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
        if len(found) == 3:
            return f"{found['model name']} (family {found['cpu family']}, model {found['model']})"
    return platform.processor() or platform.machine()


def peak_gpu_mib() -> float:
    """Peak memory of this process's tensors on the GPU in MiB; 0 without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    return torch.cuda.max_memory_allocated() / 2**20


def gpu() -> str:
    """The CUDA card's name; call it only where CUDA is in use."""
    import torch

    return torch.cuda.get_device_name()


def hardware() -> str:
    """What this process computed on: the processor, and the CUDA card where tensors were on it."""
    return f"{processor()} with {gpu()}" if peak_gpu_mib() else processor()
