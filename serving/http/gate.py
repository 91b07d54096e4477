"""What a request passes first: its host and token, the number of open requests, its body's size and pace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse

from retrieval_leaderboard.serving.http import tokens
from retrieval_leaderboard.serving.http.schemas import MAX_BODY_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ANY_HOST = "*"


@dataclass(frozen=True)
class Limits:
    """What one client, or all of them together, may ask of the service."""

    body_bytes: int = MAX_BODY_BYTES
    open_requests: int = 1024
    """at any time; further ones are told to retry later"""
    open_bytes: int = 2**28
    """of all bodies that are being received or answered"""
    idle_seconds: float = 5.0
    """between two parts of a body"""
    body_seconds: float = 20.0
    """for a whole body"""


class Gate:
    """Answers 400, 401, 408, 413 or 503 itself; else passes the request on, with its whole body."""

    def __init__(
        self, app: ASGIApp, limits: Limits, hosts: Iterable[str], token: bytes | None = None
    ) -> None:
        self.app = app
        self.limits = limits
        self.token = token
        self.hosts = {host.lower() for host in hosts}
        self.requests = self.bytes = 0
        """now open"""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on; a refusal ends the connection, its body may not have been read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        self.requests += 1
        try:
            refusal = self._refused(scope) or await self._received(body, receive)
            if refusal is None:
                await self.app(_without_head(scope), replay(bytes(body), receive), send)
            elif refusal is not DISCONNECTED:
                await refusal(scope, receive, send)
        finally:
            self.requests -= 1
            self.bytes -= len(body)

    def _refused(self, scope: Scope) -> JSONResponse | None:
        if self.requests > self.limits.open_requests:
            return _busy(f"{self.limits.open_requests:,} requests are open")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1:  # The parser lets them pass; RFC 9112, section 3.2, asks for this answer.
            return sentence(400, "the request has several Host headers: send one")
        host = _host(hosts)
        if ANY_HOST not in self.hosts and host not in self.hosts:
            return sentence(400, f"the host '{host}' is not allowed: allow it by --allowed-host")
        if self.token is not None and not tokens.admits(scope, self.token):
            needed = "a token is needed: give the header 'Authorization: Bearer TOKEN'"
            return sentence(401, needed, {"www-authenticate": "Bearer"})
        return None

    async def _received(self, body: bytearray, receive: Receive) -> JSONResponse | None:
        """Fill `body`; what to answer where it does not come as it should."""
        limits, loop = self.limits, asyncio.get_running_loop()
        ends = loop.time() + limits.body_seconds
        try:
            async with asyncio.timeout_at(min(ends, loop.time() + limits.idle_seconds)) as deadline:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return DISCONNECTED
                    part = message.get("body", b"")
                    body += part
                    self.bytes += len(part)
                    if len(body) > limits.body_bytes:
                        return sentence(413, f"the body is larger than {limits.body_bytes:,} bytes")
                    if self.bytes > limits.open_bytes:
                        return _busy("the bodies of open requests take all the memory they may")
                    if not message.get("more_body", False):
                        return None
                    deadline.reschedule(min(ends, loop.time() + limits.idle_seconds))
        except TimeoutError:
            return sentence(
                408,
                f"the body did not come: send a part of it every {limits.idle_seconds:g} seconds, and all "
                f"of it within {limits.body_seconds:g}",
            )


def sentence(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer that is one sentence; the connection ends with it."""
    return JSONResponse({"detail": text}, status, {"connection": "close", **(headers or {})})


DISCONNECTED = JSONResponse(None)
"""Nobody is there to be answered."""


def _busy(why: str) -> JSONResponse:
    return sentence(503, f"{why}: retry in a second", {"retry-after": "1"})


def _without_head(scope: Scope) -> Scope:
    """HEAD is asked as GET, whose body the server leaves out."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def replay(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was received before, then what comes after it."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


def _host(named: Sequence[bytes]) -> str:
    """The host that a request names, if any, without its port."""
    text = b"".join(named).decode("latin-1").lower()
    head, colon, port = text.rpartition(":")
    return head if colon and port.isdigit() else text
