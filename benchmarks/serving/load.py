"""The service under concurrent load: a server of its own on a loopback port, and a real client."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving.record import LoadRecord
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.serving.bundles import bundle, tables
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import cores

if TYPE_CHECKING:
    import httpx

HOST = "127.0.0.1"
START_SECONDS = 60.0
WARM_UP = 50


def measure(folder: Path, requests: int, concurrency: int) -> LoadRecord:
    """Answer times of `requests` POSTs to /recommend, `concurrency` of them at any time.

    Each asks for the top 20 of a random user of the training data, by user id and by history in
    turn. The client shares the machine's cores with the server.

    Raises:
        InputError: no bundle, or a server that does not start on it.
    """
    import httpx

    about = bundle.read_about(folder)
    bodies, before = _bodies(folder, requests), Usage.now()
    with running(folder, "--read-only") as address:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        with httpx.Client(base_url=address, limits=limits, timeout=60, trust_env=False) as client:
            with ThreadPoolExecutor(concurrency) as pool:
                list(pool.map(lambda body: _seconds(client, body), bodies[:WARM_UP]))
                started = time.perf_counter()
                times = list(pool.map(lambda body: _seconds(client, body), bodies))
                wall = time.perf_counter() - started
    # The server is counted once it has ended.
    background = Usage.now().cores_elsewhere(before)
    answered = [seconds for seconds in times if seconds is not None]
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
        requests_per_second=round(len(answered) / wall, 1),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=environment.processor(),
        cores=cores.available(),
        cores_elsewhere=round(background, 2),
        commit=environment.git_commit(),
    )


@contextmanager
def running(folder: Path, *options: str) -> Iterator[str]:
    """A server of the bundle in `folder`, in a process of its own; yields its address.

    Args:
        folder: of the bundle.
        options: of `python -m serving http`, further ones.

    Raises:
        InputError: it ends, or does not answer within a minute; what it printed is in the message.
    """
    port = _free_port()
    line = [sys.executable, "-m", "serving", "http", "--bundle", str(folder.absolute())]
    line += ["--host", HOST, "--port", str(port), *options]
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


def _seconds(client: httpx.Client, body: dict[str, Any]) -> float | None:
    """How long an answer took; None where it was an error."""
    import httpx

    started = time.perf_counter()
    try:
        answer = client.post("/recommend", json=body)
    except httpx.HTTPError:
        return None
    return time.perf_counter() - started if answer.status_code == 200 else None


def _bodies(folder: Path, n: int) -> list[dict[str, Any]]:
    """Requests of random users, every other one by history."""
    item_ids = tables.read_items(folder / bundle.ITEMS)
    user_ids, histories = tables.read_users(folder / bundle.USERS)
    bodies: list[dict[str, Any]] = []
    for user in np.random.default_rng(0).integers(0, len(user_ids), n).tolist():
        newest = histories[user][-50:].tolist()
        by_history = {"history": [item_ids[code] for code in newest]}
        bodies.append(by_history if len(bodies) % 2 else {"user_id": user_ids[user]})
    return bodies


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
