"""A folder that one process works in at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import writing

if sys.platform == "win32":
    import msvcrt

    def _take(lock: IO[Any], wait: bool, shared: bool = False) -> None:
        # There are no shared ones. LK_LOCK gives up after ten seconds with a PermissionError.
        while True:
            try:
                return msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except PermissionError as error:
                if not wait:
                    raise BlockingIOError from error

    def _leave(lock: IO[Any]) -> None:
        msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(lock: IO[Any], wait: bool, shared: bool = False) -> None:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(lock, kind if wait else kind | fcntl.LOCK_NB)

    def _leave(lock: IO[Any]) -> None:
        fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def locked(folder: Path, waiting: str, name: str = ".lock") -> Iterator[None]:
    """Hold `folder` for this process, by a file of that name; print `waiting` and wait where another one
    holds it.

    The system frees it when the process ends, however it ends. Where the file system has no locks, as
    some network folders, that is said in a line and the work goes on.

    Raises:
        InputError: `folder` cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / name).open("w")
    with lock:
        try:
            _hold(lock, waiting)
        except OSError as error:
            reason = error.strerror or error
            print(f"{folder} cannot be locked ({reason}): start no second command in it", flush=True)
        yield


@contextmanager
def held(file: Path, refusal: str, shared: bool = False) -> Iterator[None]:
    """Hold an existing file for this process, and do not wait where another one holds it.

    With `shared`, processes that all say so hold it together. The file is not written, and may be one that
    cannot be. Where the file system has no locks, that is said in a line and the work goes on.

    Raises:
        InputError: `refusal`, where another process, or another call in this one, holds it.
    """
    with file.open("r+" if os.access(file, os.W_OK) else "r") as lock:
        try:
            _take(lock, wait=False, shared=shared)
        except BlockingIOError as error:
            raise InputError(refusal) from error
        except OSError as error:
            reason = error.strerror or error
            print(f"{file} cannot be locked ({reason}): let no second process write beside it", flush=True)
        # What was opened may have been replaced before it was locked.
        if not (file.exists() and os.path.samestat(os.fstat(lock.fileno()), file.stat())):
            raise InputError(refusal)
        yield


@contextmanager
def turn(lock: IO[Any]) -> Iterator[None]:
    """Hold an open file, once those who hold it now have left it; OSError where the system cannot lock it."""
    _take(lock, wait=True)
    try:
        yield
    finally:
        _leave(lock)


def is_free(file: Path) -> bool:
    """Whether no process holds an existing file; False where that cannot be told."""
    try:
        with file.open("r+") as lock:
            _take(lock, wait=False)
    except OSError:
        return False
    return True


def _hold(lock: IO[str], waiting: str) -> None:
    try:
        _take(lock, wait=False)
    except BlockingIOError:
        print(waiting, flush=True)
        _take(lock, wait=True)
