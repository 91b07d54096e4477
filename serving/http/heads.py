"""Clients that never finish the head of a request, or send one without end."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""For the head of a request, from its first byte; for the first one, from the connection on"""
HEAD_BYTES = 2**16
"""Of a request's first line and headers, as far as they came before the last part of them"""


class HeadLimits(HttpToolsProtocol):
    """Closes connections on which a request's head has begun, or is awaited, for too long, or is too long."""

    _late: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Await the rest of a head, unless the data ended one."""
        # The parser itself keeps whatever comes.
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.close()
        elif self._answers():
            self._stop_waiting()
        elif self._late is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        super().on_headers_complete()
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        """What came was no head."""
        super().on_body(body)
        self._head_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _answers(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        if not self._answers():
            self.transport.close()
