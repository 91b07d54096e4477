"""A thousand clients that connect and then do nothing, while others ask."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from retrieval_leaderboard.benchmarks.serving import client
from retrieval_leaderboard.benchmarks.serving.load import HOST
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.serving.http.gate import Limits
from retrieval_leaderboard.serving.http.heads import HEAD_SECONDS
from retrieval_leaderboard.serving.http.server import allow_files

IDLE = 1000
ASKING, ASKED = 4, 200
"""Clients that ask meanwhile, and their requests"""
FIRST_END_SECONDS = Limits().idle_seconds
"""When the first idle connections end: an answer that comes later may have waited for them"""
SLACK_SECONDS = 5.0
BODY = b'{"user_id": "1"}'
HEAD = b"POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BEGINNINGS = (
    b"",
    HEAD,
    HEAD + b"Content-Length: 100\r\n\r\n{",
    HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
)
"""Nothing, half a head, half a body, and a whole request after which the connection stays open"""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def run(port: int) -> list[Row]:
    """Both sorts of clients against the service at `port`; see `benchmarks.torture.Row`."""
    allow_files(IDLE + 256)
    return asyncio.run(_rows(port))


async def _rows(port: int) -> list[Row]:
    url = f"http://{HOST}:{port}/recommend"
    async with _idle(port) as crowd:
        # In a thread: its event loop is its own.
        times = await asyncio.to_thread(client.post_all, url, [BODY] * ASKED, ASKING)
        quick = sum(seconds is not None and seconds < FIRST_END_SECONDS for seconds in times)
        ended = sum(await asyncio.gather(*map(_ends, crowd)))
    return [
        (f"requests while {IDLE:,} connections are idle", ASKED, quick,
         f"status 200 within {FIRST_END_SECONDS:g} s, before the first of those is ended"),
        ("connections that stay idle: no head, half a head, half a body, no second request", IDLE, ended,
         f"ended by the service within {HEAD_SECONDS + SLACK_SECONDS:g} s"),
    ]  # fmt: skip


@asynccontextmanager
async def _idle(port: int) -> AsyncIterator[list[Connection]]:
    crowd: list[Connection] = []
    try:
        for beginning in itertools.islice(itertools.cycle(BEGINNINGS), IDLE):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(beginning)
            crowd.append((reader, writer))
        yield crowd
    finally:
        for _, writer in crowd:
            writer.close()


async def _ends(connection: Connection) -> bool:
    """Whether the service ends it in time."""
    try:
        async with asyncio.timeout(HEAD_SECONDS + SLACK_SECONDS):
            await connection[0].read()
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
