"""A small service in a process of its own, whose catalog grows, and that may be killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving.load import HOST, free_port
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.support.errors import InputError

SCALE = "0.002"
SETTINGS = ("features=true", "epochs=1", "embedding_dim=8", "mlp=16")
FEATURES = {"cate_id": None, "campaign_id": None, "customer": None, "brand": None, "price": 1.0}
CLIENTS = 3
"""That add items until their service is killed"""
PATIENCE = 600.0
"""Seconds for an answer, or for a command"""


class Made:
    """A small bundle that takes new items, and copies of it."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        words = ["--scale", SCALE, "--data-dir", str(scratch / "data")]
        chosen = [word for each in SETTINGS for word in ("--set", f"infonce.{each}")]
        results = ["--results-dir", str(scratch / "results"), "--models", "infonce"]
        ended("run_all.py", *words, *results, *chosen).check_returncode()
        (folder,) = (scratch / "results").glob("*/runs/infonce-*")
        self.index = ("-m", "serving", "index", "--run", str(folder), *words)
        ended(*self.index, "--out", str(scratch / "bundle")).check_returncode()

    def copy(self, name: str) -> Path:
        """A copy of its own."""
        return shutil.copytree(self.scratch / "bundle", self.scratch / name)


@dataclass
class Service:
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
def serving(folder: Path, *options: str) -> Iterator[Service]:
    """Yields a service that is ready."""
    port = free_port()
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
            yield Service(process, port)
        finally:
            process.kill()


class Killed:
    """One bundle, whose services are killed one after the other."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder, self.rng = folder, rng
        self.kept: list[str] = []
        self.times = 0

    def held(self) -> bool:
        """Kill once more; whether all that was ever acknowledged is there."""
        self.times += 1
        with serving(self.folder) as service:
            names = [f"{self.times}-{client}" for client in range(CLIENTS)]
            clients = [threading.Thread(target=service.add_until_it_ends, args=(name,)) for name in names]
            for client in clients:
                client.start()
            time.sleep(self.rng.uniform(0.1, 1.5))
            service.process.send_signal(signal.SIGKILL)
            for client in clients:
                client.join()
        self.kept += service.kept
        return bool(service.kept) and has(self.folder, self.kept)


def has(folder: Path, names: list[str] | str) -> bool:
    """Whether all these items are in the bundle as it is on the disk."""
    try:
        return len(Recommender.open(folder).item_vectors(list(names))) == len(names)
    except InputError:
        return False


def ended(*words: str) -> subprocess.CompletedProcess[str]:
    """What `python WORDS` printed, and its exit code."""
    line = [sys.executable, *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
