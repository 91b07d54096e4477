"""Several processes that answer on one port."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from retrieval_leaderboard.serving.bundles import bundle, tables, versions
from retrieval_leaderboard.serving.bundles.journal import LOG, Journal
from retrieval_leaderboard.serving.http import server
from retrieval_leaderboard.serving.http.observed import COUNTS
from retrieval_leaderboard.serving.http.server import Service
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.stopping import death, deferred, without_named_locks
from retrieval_leaderboard.support.storage.scratch import scratch_folder

LOOK_SECONDS = 0.2
"""Until SIGTERM is seen"""
PAUSE_SECONDS = 1.0
"""After a process that could not start"""
END_SECONDS = server.GRACE_SECONDS + 8.0
"""For all processes together, once they are asked to end; then they are killed"""


def serve(service: Service, bound: socket.socket, count: int) -> None:
    """Answer by `count` processes, and start another for each that dies, until SIGTERM or Ctrl-C.

    Every process accepts from the one socket that is bound here: unlike sockets of their own (SO_REUSEPORT),
    it keeps the connections that wait for a process that dies, and it works the same on all systems that have
    processes. Each is a fresh Python: a copy by fork would not get the threads of the libraries.

    Raises:
        InputError: the bundle cannot be opened, or no process can start.
    """
    if not hasattr(os, "pread"):
        raise InputError("--workers needs Linux or macOS: leave it out")
    if service.takes_items:
        _fold(versions.resolve(service.bundle))
    with scratch_folder(Path(tempfile.gettempdir())) as shared, deferred() as asked_to_end:
        os.environ[COUNTS] = str(shared)
        workers = Workers(replace(service, shared=shared), bound, count)
        try:
            while not asked_to_end():
                workers.look()
        finally:
            workers.end()
    if service.takes_items:
        with suppress(InputError):  # Another service has begun, and does it.
            _fold(versions.resolve(service.bundle))


class Worker:
    """One of the processes."""

    def __init__(self, service: Service, bound: socket.socket) -> None:
        self.told, telling = multiprocessing.Pipe(duplex=False)
        self.items: int | None = None
        """how many it answers from; None as long as it does not"""
        self.reason = ""
        """why it could not start"""
        self.process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(service, bound, telling), name="worker"
        )
        self.process.start()
        telling.close()  # So that the end of the process is the end of what it tells.


class Workers:
    """All of the processes."""

    def __init__(self, service: Service, bound: socket.socket, count: int) -> None:
        self._service, self._bound = service, bound
        self._all = [Worker(service, bound) for _ in range(count)]
        self._announced = False
        self._answering: Path | None = None
        """the version that one of them began to answer from last"""

    def look(self) -> None:
        """Wait a moment for what they tell; replace one that is gone.

        Raises:
            InputError: one could not start, and none of the others answers.
        """
        for told in wait([each.told for each in self._all], LOOK_SECONDS):
            worker = next(each for each in self._all if each.told is told)
            try:
                said = worker.told.recv()
            except EOFError:
                self._replace(worker)
                continue
            if isinstance(said, str):
                worker.reason = said
            else:
                worker.items, self._answering = said
                self._announce()

    def end(self) -> None:
        """Let them answer what is open, and wait until they are gone."""
        self._bound.close()  # As long as a process has it, clients are let in.
        ends = time.monotonic() + END_SECONDS
        # Asked again and again: one that has just begun may have missed it.
        while (left := [each for each in self._all if each.process.is_alive()]) and time.monotonic() < ends:
            for worker in left:
                worker.process.terminate()
            wait([each.process.sentinel for each in left], 1.0)
        for worker in self._all:
            worker.process.kill()
            worker.process.join()
            worker.told.close()

    def _announce(self) -> None:
        """Say once that all of them answer."""
        if not self._announced and all(each.items is not None for each in self._all):
            self._announced = True
            server.announce(self._bound, self._all[0].items or 0, len(self._all))

    def _replace(self, gone: Worker) -> None:
        gone.process.join()
        gone.told.close()
        reason = gone.reason or f"it {death(gone.process.exitcode)}"
        if gone.items is None:
            if all(each.items is None for each in self._all):
                raise InputError(gone.reason or f"a process of the service could not start: {reason}")
            time.sleep(PAUSE_SECONDS)
        # What the link names by now may be damaged: a new process opens what answers, then follows the link.
        begins = self._answering if self._answering and self._answering.exists() else None
        where = f" and begins with {begins}" if begins else ""
        progress.say(f"a process of the service is gone, and another takes its place{where}: {reason}")
        self._all[self._all.index(gone)] = Worker(replace(self._service, begins=begins), self._bound)


def _work(service: Service, bound: socket.socket, telling: Connection) -> None:
    """Answer, as one of several; `telling` gets why it cannot start, or of each version that it answers from
    the number of items and the folder.
    """
    without_named_locks()
    compute.configure("cpu", "fp32", threads=1)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        server.serve(service, bound, lambda opened: telling.send((len(opened), opened.folder)))
    except InputError as error:
        telling.send(str(error))
    except KeyboardInterrupt:  # Ctrl-C reaches all processes of a terminal.
        pass


def _end_with_parent() -> None:
    """Without the process that started it, nobody would end this one."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _fold(folder: Path) -> None:
    """Merge the log of added items into their table: nobody can while several processes append to it.

    Raises:
        InputError: no bundle, a damaged one, or another service writes to it.
    """
    with bundle.hold(folder):
        if (folder / LOG).exists():
            about = bundle.read_about(folder)
            item_ids = tables.read_items(folder / bundle.ITEMS)
            journal = Journal(folder, about.model_hash, about.dimension, item_ids)
            try:
                journal.fold(journal.changes)
            except InputError as error:
                progress.say(f"the journal of added items stays as it is: {error}")
