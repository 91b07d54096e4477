"""Call a function in a process of its own: its peak memory is its own, and so is its crash."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from retrieval_leaderboard.support.errors import FULL, InputError, UnwritableError

TO_THE_GROUP = (signal.SIGINT, signal.SIGHUP)
"""What a terminal sends to every process of a command"""
LOOK_SECONDS = 1.0
"""How long at most a child's death goes unseen where the end of its pipe does not tell it."""
GRACE_SECONDS = 60
"""What a function may take to keep its state when it is asked to end, and to end once it has answered."""


class Crash(Exception):
    """The function raised, or its process died."""

    def __init__(self, reason: str, trace: str = "") -> None:
        super().__init__(reason)
        self.trace = trace
        """The traceback as text, "" where the process died without one."""


def call(function: Callable[..., Any], *args: Any) -> Any:
    """What `function(*args)` returns when a fresh process calls it.

    Raises:
        Crash: it raised, or the process died.
        UnwritableError: it could not write; nothing can be said of the function then.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    task, giver = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, task), daemon=True)
    try:
        with _undisturbed():
            process.start()
        # From here on the child alone holds their other ends: its death ends all reading and writing.
        sender.close()
        task.close()
        _hand_over(giver, (function, args))
        answer = _received(receiver, process)
    except BaseException:
        _end(process)
        raise
    if isinstance(answer, Exception):
        raise answer
    return answer[0]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Within, what is said to the whole group waits, also in a process that starts: the parent alone decides
    what stops.
    """
    resource_tracker.ensure_running()  # Its start would lift the block.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TO_THE_GROUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hand_over(giver: Connection, work: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
    """Write `work` to the child as it is pickled.

    `Process.start`, given it, would hold the reading end meanwhile, and write for ever to a child that died.
    """
    with giver, suppress(BrokenPipeError):
        ForkingPickler(_Unbuffered(giver.fileno()), pickle.HIGHEST_PROTOCOL).dump(work)


@dataclass(frozen=True)
class _Unbuffered:
    """A pipe to write to: what is interrupted leaves nothing that closing would still write."""

    descriptor: int

    def write(self, data: Any) -> None:
        left = memoryview(data).cast("B")
        while left:
            left = left[os.write(self.descriptor, left) :]


def _received(receiver: Connection, process: BaseProcess) -> tuple[Any] | Exception:
    """The child's answer: a value, alone in a tuple, or what it raised; a Crash where it died without one."""
    with receiver:
        # A child of the child may hold the pipe open after its death.
        while not receiver.poll(LOOK_SECONDS) and process.is_alive():
            pass
        try:
            answer = receiver.recv() if receiver.poll() else None
        except (EOFError, OSError):  # OSError: it died in the middle of its answer.
            answer = None
    process.join(GRACE_SECONDS)
    if process.is_alive():  # A thread of the function's may never end.
        _end(process)
    return Crash(_death(process.exitcode)) if answer is None else answer


def _end(process: BaseProcess) -> None:
    """Ask for an end, which most functions meet at once and some after keeping their state; then insist."""
    if process.pid is None:  # It never began.
        return
    try:
        process.terminate()
        process.join(GRACE_SECONDS)
    finally:
        process.kill()


def _answer(sender: Connection, task: Connection) -> None:
    for number in TO_THE_GROUP:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_THE_GROUP)
    threading.Thread(target=_follow_parent, daemon=True).start()
    with suppress(BrokenPipeError):  # The parent has died, and nobody waits.
        sender.send(_outcome(task))


def _outcome(task: Connection) -> tuple[Any] | Exception:
    try:
        with task, os.fdopen(os.dup(task.fileno()), "rb") as pipe:
            function, args = pickle.load(pipe)
        return (function(*args),)
    except UnwritableError as error:
        return error
    except InputError as error:  # Its sentence says it all.
        return Crash(str(error))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            return UnwritableError(
                f"cannot write {error.filename or 'a file'}: {error.strerror}; free some space"
            )
        return Crash(f"{type(error).__name__}: {error}", traceback.format_exc())


def _follow_parent() -> None:
    """End, as `_end` would have it, when the parent has died and nobody waits for an answer."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = " (the system ran out of memory?)" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"
    return f"its process ended with exit code {exit_code}"
