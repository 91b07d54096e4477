"""The one place that decides threads, device and precision; others ask `current()` and `device()`."""

import os
from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard.support.devices import AUTOCAST, DEVICES, Device
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import cores

DEVICE_CHOICES = ("auto", *DEVICES)
PRECISION_CHOICES = ("auto", *AUTOCAST)
TABLES = ("replicated", "sharded")
"""Which rows of embedding tables each of several processes has: all, or a part"""


@dataclass(frozen=True)
class Compute:
    """Where and how a process computes."""

    threads: int = 1
    device: str = "cpu"
    """Key of `DEVICES`"""
    precision: str = "fp32"
    """One of `AUTOCAST`"""
    tables: str = "replicated"
    """One of `TABLES`"""


_current = Compute()


def current() -> Compute:
    """The choice made by `configure`; one CPU thread in fp32 before that."""
    return _current


def device() -> Device:
    """Where the choice of `configure` puts tensors."""
    return DEVICES[_current.device]


def configure(
    device: str = "auto", precision: str = "auto", threads: int | None = None, tables: str = "replicated"
) -> Compute:
    """Decide for this process and tell the thread pools.

    "auto" is an accelerator where PyTorch sees one, else the CPU, and the device's own precision. `threads`
    None is as many as `cores.available`. Call it before the first import of torch, numba, implicit or faiss,
    whose thread pools read the environment once.

    Raises:
        InputError: there is no such device, or PyTorch sees none.
    """
    global _current
    threads = threads or cores.available()
    # implicit runs its own threads; a threaded BLAS below them makes threads squared.
    os.environ.update(thread_variables(threads))
    os.environ.setdefault("MKL_CBWR", _code_path())
    device = _device(device)
    if precision == "auto":
        precision = DEVICES[device].precision
    _current = Compute(threads, device, precision, tables)
    return _current


def in_words(threads: int) -> str:
    """So many threads, as text."""
    return f"{threads} thread{'' if threads == 1 else 's'}"


def thread_variables(threads: int) -> dict[str, str]:
    """What the environment says of threads to a process that is to have so many."""
    names = cores.LIMIT, "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"
    return dict.fromkeys(names, str(threads))


def begin_no_threads() -> None:
    """Have each numerical call of this process run on the thread that makes it, where those are many already.

    Call it before the first import of torch or faiss, whose thread pools read the environment once.
    """
    from threadpoolctl import threadpool_limits

    os.environ.update(thread_variables(1))
    threadpool_limits(1, user_api="blas")  # NumPy's has begun already.


def _code_path() -> str:
    """The widest instructions here by which MKL gives the same products on any number of threads."""
    flags = Path("/proc/cpuinfo")
    wide = flags.is_file() and " avx512f " in flags.read_text()
    return "AVX512,STRICT" if wide else "AVX2,STRICT"


def _device(asked: str) -> str:
    if asked == "auto":
        return next(name for name, each in reversed(DEVICES.items()) if each.may_be_here() and each.is_here())
    if asked not in DEVICES:
        *some, last = DEVICE_CHOICES
        kind, _, number = asked.partition(":")
        advice = f"; CUDA_VISIBLE_DEVICES={number} chooses the GPU" if kind == "cuda" and number else ""
        raise InputError(f"--device {asked}: give {', '.join(some)} or {last}{advice}")
    if not DEVICES[asked].is_here():
        raise InputError(f"--device {asked}: PyTorch sees no {DEVICES[asked].title} here; use --device cpu")
    return asked


DETERMINISTIC, COMPILED = "RETRIEVAL_DETERMINISTIC", "RETRIEVAL_COMPILED"
"""Variables of the environment, which processes that are started have too: "1" after `make_deterministic` and
`make_compiled`"""


def make_deterministic() -> None:
    """Have trainings give the same bits every time on an accelerator too, where that is slower."""
    os.environ[DETERMINISTIC] = "1"


def is_deterministic() -> bool:
    """Whether this process or one before it called `make_deterministic`."""
    return os.environ.get(DETERMINISTIC) == "1"


def make_compiled() -> None:
    """Have trainings on an accelerator compile their steps.

    Raises:
        InputError: the device of this process is none.
    """
    if not device().asynchronous:
        raise InputError(
            f"--compile: steps on a {device().title} have compiled kernels already; leave it out"
        )
    os.environ[COMPILED] = "1"


def is_compiled() -> bool:
    """Whether this process or one before it called `make_compiled`."""
    return os.environ.get(COMPILED) == "1"
