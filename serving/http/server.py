"""The process that answers: its port and its end."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

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
    bundle: Path,
    opened: Callable[[Path], Recommender],
    bound: socket.socket,
    allowed_hosts: Sequence[str] = (),
    takes_items: bool = True,
    token: bytes | None = None,
    access_log: bool = False,
) -> None:
    """Listen, once warm, and answer until SIGTERM or Ctrl-C; what was asked before that is still answered.

    Args:
        bundle: what to answer from: a bundle, or a folder of versions, whose current one is followed.
        opened: opens a bundle.
        bound: of `port_of`.
        allowed_hosts: what a Host header may name beside the loopback names and the socket's address.
        takes_items: whether items may be added.
        token: what requests must give; None for nothing.
        access_log: whether each request is told on the standard output.

    Raises:
        InputError: as `opened` and `listen`.
    """
    limits = Limits()
    allow_files(limits.open_requests + 256)
    address, port = bound.getsockname()[:2]
    hosts = [*LOOPBACK, _as_named(address), *allowed_hosts]

    def ready(folder: Path) -> Recommender:
        with ExitStack() as stack:
            recommender = stack.enter_context(opened(folder))
            recommender.warm_up()
            stack.pop_all()
        return recommender

    with ready(versions.resolve(bundle)) as recommender:
        # Of its own: what batches an app's requests belongs to one event loop.
        asyncio.run(_answer_once(create_app(recommender)))
        app = create_app(recommender, limits, hosts, takes_items, token, access_log)
        # A collection of all that the libraries made stops every answer for a tenth of a second.
        gc.collect()
        gc.freeze()
        listen(bound)
        progress.say(f"{len(recommender):,} items at http://{_as_named(address)}:{port}")
        # uvicorn raises the signal that ended it once more: what comes after is to be done too.
        with deferred(), app.state.current as current, following(bundle, current, ready):
            uvicorn.Server(_config(app, access_log)).run(sockets=[bound])


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
