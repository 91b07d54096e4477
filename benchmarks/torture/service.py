"""The service under faults: killed, doubled, its bundle built anew or damaged, its clients unfinished."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.support.errors import InputError

HOST = "127.0.0.1"
SCALE = "0.002"
SETTINGS = ("features=true", "epochs=1", "embedding_dim=8", "mlp=16")
FEATURES = {"cate_id": None, "campaign_id": None, "customer": None, "brand": None, "price": 1.0}
CLIENTS = 3
PATIENCE = 120.0
END_SECONDS = 15.0
FLIPS = 15
"""A bundle is damaged so often for each try: it takes no process."""


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    made = _Made(scratch)
    killed = _Killed(made.copy("killed"), rng)
    few = max(1, tries // 5)
    return [
        ("kill -9 while items are added by three clients", tries, sum(killed.held() for _ in range(tries)),
         "every item that was acknowledged is in the bundle that opens next"),
        ("a second service on the bundle of a first", few, sum(_second(made, at) for at in range(few)),
         "one sentence and exit code 2; with --read-only it answers; the first one keeps its items"),
        ("a bundle built anew under its service", few, sum(_anew(made, at) for at in range(few)),
         "refused in one sentence, with --replace too; the service goes on and keeps its items"),
        ("SIGTERM with unfinished heads and bodies", few, sum(_unfinished(made, at) for at in range(few)),
         f"exit code 0 within {END_SECONDS:.0f} s, and the log is folded"),
        ("damage to any file of a bundle", FLIPS * tries, _damaged(made, rng, FLIPS * tries),
         "refused in one sentence, or a torn last line is told, or the answers are the same"),
    ]  # fmt: skip


class _Made:
    """A small bundle that takes new items, and copies of it."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        words = ["--scale", SCALE, "--data-dir", str(scratch / "data")]
        chosen = [word for each in SETTINGS for word in ("--set", f"infonce.{each}")]
        results = ["--results-dir", str(scratch / "results"), "--models", "infonce"]
        _ended("run_all.py", *words, *results, *chosen).check_returncode()
        (folder,) = (scratch / "results").glob("*/runs/infonce-*")
        self.index = ("-m", "serving", "index", "--run", str(folder), *words)
        _ended(*self.index, "--out", str(scratch / "bundle")).check_returncode()

    def copy(self, name: str) -> Path:
        """A copy of its own."""
        return shutil.copytree(self.scratch / "bundle", self.scratch / name)


@dataclass
class _Service:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    kept: list[str] = field(default_factory=list)
    """items that it acknowledged"""

    def add(self, name: str) -> int:
        """The status of an addition."""
        client = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        with contextlib.closing(client):
            body = json.dumps({"item_id": name, "features": FEATURES})
            client.request("POST", "/items", body, {"content-type": "application/json"})
            answer = client.getresponse()
            answer.read()
        if answer.status == 201:
            self.kept.append(name)
        return answer.status

    def add_until_it_ends(self, prefix: str) -> None:
        """Add one item after the other."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            for number in range(100_000):
                self.add(f"{prefix}-{number}")


@contextmanager
def _serving(folder: Path, *options: str) -> Iterator[_Service]:
    """Yields a service that is ready."""
    port = _free_port()
    line = [sys.executable, "-m", "serving", "http", "--bundle", str(folder), "--port", str(port), *options]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline()]
            while said[-1] and " items at http://" not in said[-1]:
                said.append(process.stdout.readline())
            if not said[-1]:
                raise RuntimeError(f"the service did not start: {''.join(said)}")
            yield _Service(process, port)
        finally:
            process.kill()


class _Killed:
    """One bundle, whose services are killed one after the other."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder, self.rng = folder, rng
        self.kept: list[str] = []
        self.times = 0

    def held(self) -> bool:
        """Kill once more; whether all that was ever acknowledged is there."""
        self.times += 1
        with _serving(self.folder) as service:
            names = [f"{self.times}-{client}" for client in range(CLIENTS)]
            clients = [threading.Thread(target=service.add_until_it_ends, args=(name,)) for name in names]
            for client in clients:
                client.start()
            time.sleep(self.rng.uniform(0.1, 1.5))
            service.process.send_signal(signal.SIGKILL)
            for client in clients:
                client.join()
        self.kept += service.kept
        return bool(service.kept) and _has(self.folder, self.kept)


def _second(made: _Made, at: int) -> bool:
    folder = made.copy(f"second{at}")
    with _serving(folder) as first:
        added = first.add("a") == 201
        refused = _ended("-m", "serving", "http", "--bundle", str(folder), "--port", str(_free_port()))
        with _serving(folder, "--read-only") as reader:
            read = reader.add("b") == 403
        added = added and first.add("c") == 201
    return added and read and _in_a_sentence(refused, "another service writes to") and _has(folder, "ac")


def _anew(made: _Made, at: int) -> bool:
    folder = made.copy(f"anew{at}")
    with _serving(folder) as service:
        added = service.add("a") == 201
        plain = _ended(*made.index, "--out", str(folder))
        replacing = _ended(*made.index, "--out", str(folder), "--replace")
        added = added and service.add("b") == 201
    refused = _in_a_sentence(plain, "or --replace"), _in_a_sentence(replacing, "stop it first")
    return added and all(refused) and _has(folder, "ab")


def _unfinished(made: _Made, at: int) -> bool:
    folder = made.copy(f"unfinished{at}")
    head = b"POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with _serving(folder) as service, contextlib.ExitStack() as held:
        added = service.add("a") == 201
        for part in (head, head + b'Content-Length: 100\r\n\r\n{"user', b"", b"GET /hea"):
            client = held.enter_context(socket.create_connection((HOST, service.port)))
            client.sendall(part)
        time.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        try:
            code = service.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return False
    return added and code == 0 and not (folder / "changes.log").exists() and _has(folder, "a")


def _damaged(made: _Made, rng: random.Random, times: int) -> int:
    """How often damage was found, or did not matter."""
    whole = made.copy("whole")
    for writing in (True, False):
        with Recommender.open(whole, writing=writing) as recommender:
            recommender.keep_item(f"added-{writing}", FEATURES)
    files = sorted(path.name for path in whole.iterdir())
    right = _answers(whole)
    held = 0
    for number in range(times):
        work = shutil.copytree(whole, made.scratch / "work", dirs_exist_ok=True)
        path = work / files[number % len(files)]
        path.write_bytes(_spoiled(path.read_bytes(), rng))
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                held += _answers(work) == right or "torn" in printed.getvalue()
        except InputError:
            held += 1
    return held


def _spoiled(content: bytes, rng: random.Random) -> bytes:
    """With a bit flipped, foreign bytes in it, or its end cut off."""
    spoiled, at = bytearray(content), rng.randrange(len(content))
    kind = rng.random()
    if kind < 0.75:
        spoiled[at] ^= 1 << rng.randrange(8)
    elif kind < 0.85:
        spoiled[at : at + 8] = rng.randbytes(8)
    else:
        del spoiled[at:]
    return bytes(spoiled)


def _answers(folder: Path) -> tuple[object, ...]:
    """What the bundle in `folder` says to ten users, as they ask by id, and to an unseen user."""
    recommender = Recommender.open(folder)
    answers = recommender.recommend_batch([*(Request(str(user), k=50) for user in range(10)), Request("who")])
    return len(recommender), [(each.items, each.scores, each.fallback) for each in answers]


def _has(folder: Path, names: list[str] | str) -> bool:
    """Whether all these items are in the bundle as it is on the disk."""
    try:
        return len(Recommender.open(folder).item_vectors(list(names))) == len(names)
    except InputError:
        return False


def _in_a_sentence(ended: subprocess.CompletedProcess[str], words: str) -> bool:
    return ended.returncode == 2 and words in ended.stderr and ended.stderr.count("\n") == 1


def _ended(*words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
