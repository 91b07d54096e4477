"""The one place that decides threads, device and precision; everything else asks `current()`."""

import os
from dataclasses import dataclass
from pathlib import Path

from support.errors import InputError

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "fp16", "bf16")
DRIVER_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


@dataclass(frozen=True)
class Compute:
    """Where and how a process computes."""

    threads: int = 1
    device: str = "cpu"
    """"cpu" or "cuda"."""
    precision: str = "fp32"
    """"fp32", "fp16" or "bf16": the autocast type of neural training."""


_current = Compute()


def current() -> Compute:
    """The choice made by `configure`; one CPU thread in fp32 before that."""
    return _current


def configure(device: str = "auto", precision: str = "auto", threads: int | None = None) -> Compute:
    """Decide for this process and tell the thread pools.

    "auto" is CUDA where PyTorch sees a card, and fp16 there; fp32 on a CPU. `threads` None is all
    cores this process may run on.
    Call it before the first import of numba, implicit or faiss.

    Raises:
        InputError: CUDA was asked for and PyTorch sees none.
    """
    global _current
    threads = threads or available_cores()
    # implicit runs its own threads; a threaded BLAS below them makes threads squared.
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    device = _device(device)
    if precision == "auto":
        precision = "fp16" if device == "cuda" else "fp32"
    _current = Compute(threads, device, precision)
    return _current


def available_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _device(asked: str) -> str:
    if asked == "cpu":
        return "cpu"
    # Importing PyTorch takes seconds; without a driver there is no need to ask it.
    if asked == "cuda" or any(Path(sign).exists() for sign in DRIVER_SIGNS):
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if asked == "cuda":
        raise InputError("--device cuda: PyTorch sees no CUDA card here; use --device cpu")
    return "cpu"
