"""Bodies and heads that no honest client sends, each over a connection of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from retrieval_leaderboard.benchmarks.serving.load import HOST
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.serving.http.schemas import MAX_BODY_BYTES

PATIENCE = 30.0
"""Seconds for an answer"""
DEEP = (100, 10_000, 1_000_000)
NOT_FINITE = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000)
PLACES = (
    ("/recommend", b'{"user_id": "1", "k": %s}'),
    ("/recommend", b'{"user_id": "1", "timestamp": %s}'),
    ("/recommend", b'{"user_id": "1", "features": {"age_level": %s}}'),
    ("/recommend", b'{"user_id": "1", "context": {"pid": [%s]}}'),
    ("/recommend", b'{"history": [%s]}'),
    ("/recommend/batch", b'{"requests": [{"user_id": "1", "k": %s}]}'),
    ("/items", b'{"item_id": "new", "features": {"price": %s}}'),
    ("/items", b'{"item_id": %s, "features": {}}'),
)
"""Where a number may stand, or is looked for"""
NOT_TEXT = (b"", b"\x00", b"\xff\xfe{}", b'{"user_id": "\xc3"}', b'{"user_id": "\\ud800"}', b"{} {}", b"null")
BROKEN_HEADS = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /items HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
)
"""TLS, another version, no or two hosts, a broken field, too long a field or path, lengths that cannot be"""


@dataclass(frozen=True)
class Answered:
    """What came back before the connection ended."""

    status: int
    """0 for nothing"""
    body: bytes

    @property
    def refused(self) -> bool:
        """Whether it is an error of the client's, told in one sentence."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return False
        return 400 <= self.status < 500 and isinstance(told, dict) and isinstance(told.get("detail"), str)


def run(port: int) -> list[Row]:
    """Send them all to the service at `port`; see `benchmarks.torture.Row`."""
    return [
        _row("bodies beyond the limit, their length told or not", _oversized(port),
             "status 413 and one sentence"),
        _row("JSON nested up to a million deep", _nested(port), "status 4xx and one sentence"),
        _row("NaN, infinities and numbers of 5,000 digits", _numbers(port),
             "status 4xx and one sentence"),
        _row("bodies that are no text or no JSON", _texts(port), "status 4xx and one sentence"),
        _row("heads that are no HTTP", _heads(port), "status 4xx, or the connection ends"),
    ]  # fmt: skip


def _row(kind: str, held: Iterator[bool], right: str) -> Row:
    found = list(held)
    return kind, len(found), sum(found), right


def _oversized(port: int) -> Iterator[bool]:
    for path in ("/recommend", "/recommend/batch", "/items"):
        for size in (MAX_BODY_BYTES + 1, 16 * MAX_BODY_BYTES):
            for told in (True, False):
                found = post(port, path, b" " * size, told)
                yield found.status == 413 and found.refused


def _nested(port: int) -> Iterator[bool]:
    for depth in DEEP:
        lists, objects = b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth
        for nested in (lists, objects, lists[:depth]):
            for path, body in (
                ("/recommend", nested),
                ("/recommend", b'{"user_id": "1", "features": {"a": ' + nested + b"}}"),
                ("/recommend/batch", b'{"requests": ' + nested + b"}"),
                ("/items", b'{"item_id": "new", "features": ' + nested + b"}"),
            ):
                yield post(port, path, body).refused


def _numbers(port: int) -> Iterator[bool]:
    for path, template in PLACES:
        for number in NOT_FINITE:
            yield post(port, path, template % number).refused


def _texts(port: int) -> Iterator[bool]:
    for path in ("/recommend", "/recommend/batch", "/items"):
        for body in NOT_TEXT:
            yield post(port, path, body).refused


def _heads(port: int) -> Iterator[bool]:
    for head in BROKEN_HEADS:
        found = exchanged(port, head)
        yield found.status == 0 or 400 <= found.status < 500


def post(port: int, path: str, body: bytes, length_told: bool = True) -> Answered:
    """Post `body`, in one chunk where its length is not told."""
    framing = f"Content-Length: {len(body)}" if length_told else "Transfer-Encoding: chunked"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\n{framing}\r\n\r\n"
    ).encode()
    framed = body if length_told else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return exchanged(port, head + framed)


def exchanged(port: int, sent: bytes) -> Answered:
    """What a service answers to bytes; it may end the connection before it has read them all."""
    received = b""
    with socket.create_connection((HOST, port), timeout=PATIENCE) as connection:
        with suppress(OSError):
            connection.sendall(sent)
        with suppress(OSError):
            while part := connection.recv(65536):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return Answered(int(words[1]) if len(words) > 1 and words[1].isdigit() else 0, body)
