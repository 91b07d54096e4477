"""A server on this machine, and what is asked of it."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from retrieval_leaderboard.datasets.sources.download import Download

GOOD = b"0 1 2\n1 0\n" * 5000
MANUAL = "get it manually"


class Server:
    """What to answer, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[bytes | int]] = {}
        """path → content or status of each request in turn; the last one repeats"""
        self.cut: set[str] = set()
        """paths whose content ends in the middle"""
        self.asked: list[str] = []
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args) -> None:
        self.state = server
        super().__init__(*args)

    def do_GET(self) -> None:
        self.state.asked.append(self.path)
        answers = self.state.answers.get(self.path, [404])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, int):
            self.send_error(answer)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if self.path in self.state.cut else answer)

    def log_message(self, format: str, *args) -> None:
        """Keep the tests' output clean."""


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def files_of(digests: dict[str, str], *mirrors: str, **more) -> Download:
    return Download(digests, mirrors, MANUAL, **more)


def assert_nothing_left(folder: Path) -> None:
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []
