"""The process that answers: its port and its end."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.serving.bundles import versions
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.http.gate import LOOPBACK, Limits
from retrieval_leaderboard.serving.http.heads import HeadLimits
from retrieval_leaderboard.serving.http.served import following
from retrieval_leaderboard.serving.service import Recommender
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.stopping import deferred

GRACE_SECONDS = 30
"""At the end, for requests that are being answered"""
BACKLOG = 2048


@dataclass(frozen=True)
class Service:
    """What is answered from, and how."""

    bundle: Path
    """a bundle, or a folder of versions, whose current one is followed"""
    model: str | None = None
    """FILE.py:CLASS or MODULE:CLASS of a model of one's own"""
    allowed_hosts: tuple[str, ...] = ()
    """what a Host header may name beside the loopback names and the socket's address"""
    takes_items: bool = True
    token: bytes | None = None
    """what requests must give; None for nothing"""
    access_log: bool = False
    """whether each request is told on the standard output"""
    threads: int = 1
    """that search, where that takes long"""
    shared: Path | None = None
    """a folder of what several processes share that answer, each of them with this; None for one process"""
    begins: Path | None = None
    """the version to answer from first; None for what `bundle` names"""

    def opened(self, folder: Path) -> Recommender:
        """A bundle, ready to answer; InputError where it cannot be opened."""
        with ExitStack() as stack:
            opened = Recommender.open(folder, self._model_class, self.takes_items, self.shared)
            stack.enter_context(opened).warm_up()
            stack.pop_all()
        return opened

    @cached_property
    def _model_class(self) -> type[Retriever] | None:
        return outside.load(self.model) if self.model else None


@contextmanager
def port_of(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to an address, which does not listen yet.

    Raises:
        InputError: the port is used or may not be used, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(host, port, error) from error
    with bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
        except OSError as error:
            raise _unusable(host, port, error) from error
        yield bound


def listen(bound: socket.socket) -> None:
    """Take connections from now on; InputError where another process was faster."""
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _unusable(host, port, error) from error


def _unusable(host: str, port: int, error: OSError) -> InputError:
    return InputError(f"cannot answer at {host}:{port}: {error.strerror}; give another --port or --host")


def serve(
    service: Service, bound: socket.socket, answers: Callable[[Recommender], None] | None = None
) -> None:
    """Listen, once warm, and answer until SIGTERM or Ctrl-C; what was asked before that is still answered.

    Args:
        service: what answers.
        bound: of `port_of`.
        answers: told what it answers from once it listens, and after each switch; by default the beginning
            is printed.

    Raises:
        InputError: as `Service.opened` and `listen`.
    """
    limits = Limits()
    allow_files(limits.open_requests + 256)
    hosts = [*LOOPBACK, _as_named(bound.getsockname()[0]), *service.allowed_hosts]
    with service.opened(versions.resolve(service.begins or service.bundle)) as recommender:
        # Of its own: what batches an app's requests belongs to one event loop.
        asyncio.run(_answer_once(create_app(recommender, counting=False)))
        app = create_app(
            recommender, limits, hosts, service.takes_items, service.token, service.access_log,
            threads=service.threads,
        )  # fmt: skip
        # A collection of all that the libraries made stops every answer for a tenth of a second.
        gc.collect()
        gc.freeze()
        listen(bound)
        if answers:
            answers(recommender)
        else:
            announce(bound, len(recommender))
        # uvicorn raises the signal that ended it once more: what comes after is to be done too.
        with (
            deferred(),
            app.state.current as current,
            following(service.bundle, current, service.opened, answers),
        ):
            uvicorn.Server(_config(app, service.access_log)).run(sockets=[bound])


def announce(bound: socket.socket, items: int, processes: int = 1) -> None:
    """Say where the service answers."""
    address, port = bound.getsockname()[:2]
    several = f", by {processes} processes" if processes > 1 else ""
    progress.say(f"{items:,} items at http://{_as_named(address)}:{port}{several}")


def _config(app: FastAPI, access_log: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HeadLimits,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=access_log,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def _answer_once(app: FastAPI) -> None:
    """Let the first client not wait for what the web framework does once."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{LOOPBACK[0]}") as client:
        await client.get("/ready")
        await client.post("/recommend", json={"user_id": "nobody"})


def _as_named(address: str) -> str:
    """An address as it stands in a Host header."""
    return f"[{address}]" if ":" in address else address


def allow_files(wanted: int) -> None:
    """Raise the number of open files that the system grants to at least `wanted`, where it can be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
