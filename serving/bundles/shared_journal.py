"""The journal of a bundle to which several processes write."""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from retrieval_leaderboard.serving.bundles.journal import LOG, Change, ChangedError, Journal
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import locks
from retrieval_leaderboard.support.storage.files import writing

TURNS = "changes.lock"
"""Locked by whoever appends; holds how many bytes of the log are kept"""
_KEPT = struct.Struct("<q")


class SharedJournal(Journal):
    """As `Journal`, in each of several processes, none of which uses another class.

    One appends at a time. Once a change is on the disk, and before it is acknowledged, its writer notes in
    `changes.lock` how long the log is. The others read that number before each answer, and then the lines
    they do not have: a torn line, or one that is not yet on the disk, is never among them. As long as they
    hold the bundle together, nobody folds the log.
    """

    shared: ClassVar[bool] = True

    def __init__(self, folder: Path, model_hash: str, dimension: int, item_ids: Sequence[str]) -> None:
        """As `Journal`; InputError, too, where the file system has no locks."""
        with writing(folder / TURNS):
            # Not to append: what is written then goes to the end, wherever it is to go.
            self._turns = open(folder / TURNS, "r+b", buffering=0, opener=_made)
        weakref.finalize(self, self._turns.close)
        self._has_turn = False
        try:
            with self.turn():
                super().__init__(folder, model_hash, dimension, item_ids)
                self._note()
        except OSError as error:
            raise InputError(
                f"{folder / TURNS} cannot be locked ({error.strerror}): answer by one process, or --read-only"
            ) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """As `Journal.turn`; within another it changes nothing."""
        if self._has_turn:
            yield
            return
        with locks.turn(self._turns):
            self._has_turn = True
            try:
                yield
            finally:
                self._has_turn = False

    def is_behind(self) -> bool:
        """As `Journal.is_behind`."""
        return self._kept() > self._size

    def news(self) -> Iterator[Change]:
        """As `Journal.news`; for one thread at a time.

        Raises:
            RuntimeError: the log was changed by something else.
        """
        start, end = self._size, self._kept()
        if end <= start:
            return
        with (self.folder / LOG).open("rb") as log:
            log.seek(start)
            whole = log.read(end - start)
        try:
            numbered = self._logged(whole, start)
        except InputError as error:
            raise self._spoiled() from error
        if [number for number, _ in numbered] != [*range(self._count, self._count + len(numbered))]:
            raise self._spoiled()
        yield from (change for _, change in numbered)
        # Not before all are applied: until then other threads are behind too.
        self._count += len(numbered)
        self._size = end

    def append(self, changes: Sequence[Change]) -> None:
        """As `Journal.append`, in a turn; the others are told."""
        super().append(changes)
        self._note()

    def _check_unchanged(self) -> None:
        super()._check_unchanged()
        try:
            size = (self.folder / LOG).stat().st_size
        except FileNotFoundError:
            size = 0
        if size < self._size:
            raise ChangedError(f"{self.folder / LOG} is shorter than it was: start the service again")

    def _stamp(self) -> dict[str, tuple[int, int, int] | None]:
        """Without that of the log, to which others append."""
        return super()._stamp() | {LOG: None}

    def _kept(self) -> int:
        return int(_KEPT.unpack(os.pread(self._turns.fileno(), _KEPT.size, 0))[0])

    def _note(self) -> None:
        os.pwrite(self._turns.fileno(), _KEPT.pack(self._size), 0)

    def _spoiled(self) -> RuntimeError:
        return RuntimeError(f"{self.folder / LOG} was changed by something else than the service")


def _made(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)
