"""A client that costs little, so that the server is what is measured: one thread, keep-alive connections."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

POST = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
SECONDS = 60.0
"""For one answer"""


def post_all(url: str, bodies: Sequence[bytes], concurrency: int) -> list[float | None]:
    """Post every one of `bodies`, `concurrency` of them at any time.

    Returns:
        seconds until the answer was complete, one a body in no order; None where its status was not 200 or
        the connection broke.
    """
    waiting = iter(bodies)

    async def clients() -> list[list[float | None]]:
        return await asyncio.gather(*(_client(url, waiting) for _ in range(concurrency)))

    return [seconds for each in asyncio.run(clients()) for seconds in each]


async def _client(url: str, bodies: Iterator[bytes]) -> list[float | None]:
    """One after the other over one connection, and over a new one where that breaks."""
    times: list[float | None] = []
    parts = urlsplit(url)
    body = next(bodies, None)
    while body is not None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while body is not None:
                head = POST.format(path=parts.path, host=parts.netloc, size=len(body))
                async with asyncio.timeout(SECONDS):
                    times.append(await _seconds(reader, writer, head.encode() + body))
                body = next(bodies, None)
        except (OSError, EOFError, TimeoutError):
            times.append(None)
            body = next(bodies, None)
        finally:
            writer.close()
    return times


async def _seconds(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> float | None:
    started = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    if length is None:
        raise EOFError("an answer of unknown length")
    await reader.readexactly(int(length[1]))
    return time.perf_counter() - started if head.split(b" ", 2)[1] == b"200" else None
