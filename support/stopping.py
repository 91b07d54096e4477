"""How processes end: signals ask long work to stop at the next good place; what ended a process is named."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANGUP: tuple[signal.Signals, ...] = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
"""What a terminal that is closed sends; Windows has none"""
ENDING = (signal.SIGTERM, *HANGUP)
"""What ends a command as Ctrl-C does: somebody's kill, or a terminal that was closed"""


class StoppedError(Exception):
    """Work ended early because it was asked to."""


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Within, SIGTERM only makes the yielded function return True.

    Outside the main thread, where signals cannot be handled, it always returns False.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


def without_named_locks() -> None:
    """In a process that was spawned: let libraries make locks as in any other.

    They follow how the process was started, and tqdm's would be a named semaphore: of a process that is
    killed, Python tells that it was leaked.
    """
    multiprocessing.set_start_method(None, force=True)


def death(exit_code: int | None) -> str:
    """What became of a process, by the exit code that Python tells: "was killed by" or "ended with" what."""
    if exit_code is None or exit_code >= 0:
        return f"ended with exit code {exit_code}"
    number = -exit_code
    # Real-time signals have numbers alone.
    known = {each.value: each.name for each in signal.Signals}
    hint = " (the system ran out of memory?)" if known.get(number) == "SIGKILL" else ""
    return f"was killed by {known.get(number, f'signal {number}')}{hint}"


@contextmanager
def interrupting() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP raise KeyboardInterrupt; those that were ignored still are."""
    before = {number: signal.getsignal(number) for number in ENDING}
    heard = [number for number in ENDING if before[number] != signal.SIG_IGN]

    def interrupt(*_: object) -> None:
        for (
            number
        ) in heard:  # A closing terminal tells twice, and what is to be kept is being written by then.
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
