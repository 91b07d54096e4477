"""Call a function in a process of its own: its peak memory is its own, and so is its crash."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from support.errors import InputError

GRACE_SECONDS = 60
"""What a function may take to keep its state when it is asked to end."""


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
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, args), daemon=True)
    process.start()
    sender.close()
    try:
        answer = receiver.recv()
        process.join()
    except EOFError:
        process.join()
        raise Crash(_death(process.exitcode)) from None
    except KeyboardInterrupt:
        _end(process)
        raise
    done, value = answer
    if not done:
        raise Crash(*value)
    return value


def _end(process: BaseProcess) -> None:
    """Ask for an end, which most functions meet at once and some after keeping their state; then insist."""
    try:
        process.terminate()
        process.join(GRACE_SECONDS)
    finally:
        process.kill()


def _answer(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group; the parent alone decides what stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        answer = (True, function(*args))
    except InputError as error:  # Its sentence says it all.
        answer = (False, (str(error), ""))
    except Exception as error:
        answer = (False, (f"{type(error).__name__}: {error}", traceback.format_exc()))
    with suppress(BrokenPipeError):  # The parent has died, and nobody waits.
        sender.send(answer)


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
