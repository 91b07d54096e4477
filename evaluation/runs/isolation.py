"""Call a function in processes of its own: their peak memory is their own, and so is their crash."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, cast

from retrieval_leaderboard.support.errors import FULL, InputError, UnwritableError
from retrieval_leaderboard.support.stopping import HANGUP, death, without_named_locks

TO_THE_GROUP = (signal.SIGINT, *HANGUP)
"""What a terminal sends to every process of a command"""
LOOK_SECONDS = 1.0
"""How long at most a child's death goes unseen where the end of its pipe does not tell it."""
FOLLOW_SECONDS = 5.0
"""How long after the first failure the failures of others are waited for, to see which came first."""
GRACE_SECONDS = 60
"""What a function may take to keep its state when it is asked to end, and to end once it has answered."""


class Crash(Exception):
    """The function raised, or its process died."""

    def __init__(self, reason: str, trace: str = "", died: bool = False) -> None:
        super().__init__(reason)
        self.trace = trace
        """The traceback as text, "" where the process died without one."""
        self.died = died
        """Whether the process ended without an answer"""
        self.at = 0.0 if died else time.time()
        """When it raised, in seconds; 0 where it died, which nobody wrote down"""


def call(function: Callable[..., Any], *args: Any) -> Any:
    """What `function(*args)` returns when a fresh process calls it.

    Raises:
        Crash: it raised, or the process died.
        UnwritableError: it could not write; nothing can be said of the function then.
    """
    return call_together([{}], function, *args)


def call_together(
    environments: Sequence[Mapping[str, str]],
    function: Callable[..., Any],
    *args: Any,
    watch: Callable[[], None] = lambda: None,
) -> Any:
    """What the first of several fresh processes returns when all of them call `function(*args)`.

    They depend on each other: where one fails, none of them goes on.

    Args:
        environments: variables that a process has beside those of this one; one process for each.
        function, args: as in `call`.
        watch: called about once a second; what it raises ends the processes.

    Raises:
        Crash: of the process that failed first.
        UnwritableError: as `call`.
    """
    children = [_Child() for _ in environments]
    try:
        for child, environment in zip(children, environments, strict=True):
            with _undisturbed(), environment_of(environment):
                child.start()
        for child in children:
            child.hand_over((function, args))
        answers = _answers(children, watch)
    except BaseException:
        _end([child.process for child in children])
        raise
    errors = {rank: each for rank, each in enumerate(answers) if isinstance(each, Exception)}
    if errors:
        raise root_cause(errors, len(children))
    return cast("tuple[Any]", answers[0])[0]


@contextmanager
def environment_of(variables: Mapping[str, str]) -> Iterator[None]:
    """Within, this process, and those that it starts, have these variables too."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def root_cause(errors: Mapping[int, Exception], processes: int) -> Exception:
    """What the others followed from: by rank, the errors of some of so many processes that work together.

    Who loses another one fails after it; a process that was killed cannot say when that was.
    """
    crashes = {rank: each for rank, each in errors.items() if isinstance(each, Crash)}
    if len(crashes) < len(errors):
        return next(each for each in errors.values() if isinstance(each, UnwritableError))
    rank, first = min(crashes.items(), key=lambda each: (each[1].at, each[0]))
    if processes == 1 or not first.died:
        return first
    return Crash(f"rank {rank} of {processes}: {first}")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Within, what is said to the whole group waits, also in a process that starts: the parent alone decides
    what stops.
    """
    if not hasattr(signal, "pthread_sigmask"):  # On Windows, which says nothing to groups.
        yield
        return
    resource_tracker.ensure_running()  # Its start would lift the block.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TO_THE_GROUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Child:
    """A process that is to answer."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.receiver, self._sender = context.Pipe(duplex=False)
        self._task, self._giver = context.Pipe(duplex=False)
        self.process = context.Process(target=_answer, args=(self._sender, self._task), daemon=True)

    def start(self) -> None:
        """Begin; from then on the child alone holds the other ends: its death ends reading and writing."""
        self.process.start()
        self._sender.close()
        self._task.close()

    def hand_over(self, work: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
        """Write `work` to the child as it is pickled.

        `Process.start`, given it, would hold the reading end meanwhile, and write for ever to a child that
        died.
        """
        with self._giver, suppress(BrokenPipeError):
            ForkingPickler(_Unbuffered(self._giver.fileno()), pickle.HIGHEST_PROTOCOL).dump(work)


@dataclass(frozen=True)
class _Unbuffered:
    """A pipe to write to: what is interrupted leaves nothing that closing would still write."""

    descriptor: int

    def write(self, data: Any) -> None:
        left = memoryview(data).cast("B")
        while left:
            left = left[os.write(self.descriptor, left) :]


def _answers(children: list[_Child], watch: Callable[[], None]) -> list[tuple[Any] | Exception | None]:
    """The children's answers, as `_received`; None of those that did not end with one that failed."""
    answers: list[tuple[Any] | Exception | None] = [None] * len(children)
    last = math.inf
    while None in answers and time.monotonic() < last:
        left = [at for at, answer in enumerate(answers) if answer is None]
        # A child of the child may hold the pipe open after its death.
        wait([children[at].receiver for at in left], LOOK_SECONDS if math.isinf(last) else LOOK_SECONDS / 10)
        for at in left:
            if children[at].receiver.poll() or not children[at].process.is_alive():
                answers[at] = _received(children[at].receiver, children[at].process)
                if isinstance(answers[at], Exception):
                    last = min(last, time.monotonic() + FOLLOW_SECONDS)
        watch()
    _end([child.process for child, answer in zip(children, answers, strict=True) if answer is None], 0)
    return answers


def _received(receiver: Connection, process: BaseProcess) -> tuple[Any] | Exception:
    """A child's answer: a value, alone in a tuple, or what it raised; a Crash where it died without one."""
    with receiver:
        try:
            answer = receiver.recv() if receiver.poll() else None
        except (EOFError, OSError):  # OSError: it died in the middle of its answer.
            answer = None
    process.join(GRACE_SECONDS)
    if process.is_alive():  # A thread of the function's may never end.
        _end([process])
    return Crash(f"its process {death(process.exitcode)}", died=True) if answer is None else answer


def _end(processes: list[BaseProcess], grace: float = GRACE_SECONDS) -> None:
    """Ask for an end, which most functions meet at once and some after keeping their state; then insist."""
    begun = [process for process in processes if process.pid is not None]
    try:
        for process in begun if grace else ():
            process.terminate()
        last = time.monotonic() + grace
        for process in begun:
            process.join(max(last - time.monotonic(), 0))
    finally:
        for process in begun:
            process.kill()
        for process in begun:
            process.join()


def _answer(sender: Connection, task: Connection) -> None:
    for number in TO_THE_GROUP:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_THE_GROUP)
    without_named_locks()
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
