"""The service under concurrent load: a server of its own on a loopback port, and a real client."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import client
from retrieval_leaderboard.benchmarks.serving.record import LoadRecord
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.serving.bundles import bundle, tables
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import cores

HOST = "127.0.0.1"
START_SECONDS = 60.0
WARM_UP = 50
PARTS = 4
"""In which the requests are asked, the echo's and the service's in turn"""


def measure(folder: Path, requests: int, concurrency: int) -> LoadRecord:
    """Answer times of `requests` POSTs to /recommend, `concurrency` of them at any time.

    Each asks for the top 20 of a random user of the training data, by user id and by history in
    turn. The client shares the machine's cores with the server. An echo gets the same bodies, a part in
    turn with each part of the service's, so that both meet the same machine.

    Raises:
        InputError: no bundle, or a server that does not start on it.
    """
    about = bundle.read_about(folder)
    asked_for, before = bodies(folder, requests), Usage.now()
    with running(folder, "--read-only") as service, echoing() as echo:
        asked, bare = Load(f"{service}/recommend"), Load(f"{echo}/echo")
        for load in (bare, asked):
            client.post_all(load.url, asked_for[:WARM_UP], concurrency)
        for part in range(PARTS):
            for load in (bare, asked):
                load.take(asked_for[part::PARTS], concurrency)
    # The server is counted once it has ended.
    background = Usage.now().cores_elsewhere(before)
    answered = [seconds for seconds in asked.times if seconds is not None]
    p50, p99 = np.percentile(answered, [50, 99]) * 1000 if answered else (None, None)
    return LoadRecord(
        dataset=about.title,
        model=about.model,
        index=about.kind,
        items=about.items,
        requests=requests,
        concurrency=concurrency,
        errors=requests - len(answered),
        p50_ms=p50 and round(float(p50), 2),
        p99_ms=p99 and round(float(p99), 2),
        requests_per_second=round(len(answered) / asked.wall, 1),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=environment.processor(),
        cores=cores.available(),
        cores_elsewhere=round(background, 2),
        commit=environment.git_commit(),
        cpu_ms=asked.cpu_ms,
        echo_cpu_ms=bare.cpu_ms,
    )


@dataclass
class Load:
    """What one server took for its requests so far."""

    url: str
    times: list[float | None] = field(default_factory=list)
    """seconds a request; None for an error"""
    wall: float = 0.0
    """seconds of all"""
    cpu: float = 0.0
    """seconds of the server's process; NaN where the system does not tell them"""

    def take(self, bodies: list[bytes], concurrency: int) -> None:
        """Post more."""
        cpu, started = _cpu_seconds(self.url), time.perf_counter()
        self.times += client.post_all(self.url, bodies, concurrency)
        self.wall += time.perf_counter() - started
        self.cpu += _cpu_seconds(self.url) - cpu

    @property
    def cpu_ms(self) -> float | None:
        """Of the server's process, a request."""
        return None if math.isnan(self.cpu) else round(self.cpu / len(self.times) * 1000, 3)


def _cpu_seconds(url: str) -> float:
    """What all processes of the server at `url` have worked so far; NaN where the system does not tell it."""
    import httpx

    told = httpx.get(urljoin(url, "/metrics"), trust_env=False, timeout=60).text
    found = re.findall(r"^process_cpu_seconds_total(?:\{.*\})? (\S+)$", told, re.MULTILINE)
    return sum(map(float, found)) if found else math.nan


@contextmanager
def running(folder: Path, *options: str) -> Iterator[str]:
    """A server of the bundle in `folder`, in a process of its own; yields its address.

    Args:
        folder: of the bundle.
        options: of `python -m serving http`, further ones.

    Raises:
        InputError: it ends, or does not answer within a minute; what it printed is in the message.
    """
    line = ["-m", "serving", "http", "--bundle", str(folder.absolute()), "--host", HOST, *options, "--port"]
    with _server(line) as address:
        yield address


@contextmanager
def echoing() -> Iterator[str]:
    """As `running`, a server of `benchmarks.serving.echo`."""
    with _server([str(Path(__file__).with_name("echo.py"))]) as address:
        yield address


@contextmanager
def _server(line: list[str]) -> Iterator[str]:
    """A process of this Python that listens on the port after the last word of `line`."""
    port = free_port()
    line = [sys.executable, *line, str(port)]
    server = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://{HOST}:{port}"
        _wait(server, address)
        yield address
    finally:
        server.terminate()
        server.communicate()


def _wait(server: subprocess.Popen[str], address: str) -> None:
    import httpx

    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        if server.poll() is not None:
            printed = server.stderr.read().strip() if server.stderr else ""
            raise InputError(f"the server ended at once: {printed}")
        try:
            httpx.get(f"{address}/health", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise InputError(f"the server did not answer at {address} within {START_SECONDS:.0f} seconds")


def bodies(folder: Path, n: int) -> list[bytes]:
    """Requests of random users, every other one by history."""
    item_ids = tables.read_items(folder / bundle.ITEMS)
    user_ids, histories = tables.read_users(folder / bundle.USERS)
    found: list[dict[str, Any]] = []
    for user in np.random.default_rng(0).integers(0, len(user_ids), n).tolist():
        newest = histories[user][-50:].tolist()
        by_history = {"history": [item_ids[code] for code in newest]}
        found.append(by_history if len(found) % 2 else {"user_id": user_ids[user]})
    return [json.dumps(body).encode() for body in found]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
