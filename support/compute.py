"""The one place that decides threads, device and precision; everything else asks `current()`."""

import os
from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard.support import cores
from retrieval_leaderboard.support.errors import InputError

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

    "auto" is CUDA where PyTorch sees a card, and fp16 there; fp32 on a CPU. `threads` None is as many
    as `cores.available`. Call it before the first import of torch, numba, implicit or faiss, whose thread
    pools read the environment once.

    Raises:
        InputError: CUDA was asked for and PyTorch sees none.
    """
    global _current
    threads = threads or cores.available()
    # implicit runs its own threads; a threaded BLAS below them makes threads squared.
    for variable in (cores.LIMIT, "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ.setdefault("MKL_CBWR", _code_path())
    device = _device(device)
    if precision == "auto":
        precision = "fp16" if device == "cuda" else "fp32"
    _current = Compute(threads, device, precision)
    return _current


def _code_path() -> str:
    """The widest instructions here by which MKL gives the same products on any number of threads."""
    flags = Path("/proc/cpuinfo")
    wide = flags.is_file() and " avx512f " in flags.read_text()
    return "AVX512,STRICT" if wide else "AVX2,STRICT"


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
