"""The service under faults: killed, doubled, its bundle built anew or damaged, its clients unfinished."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from retrieval_leaderboard.benchmarks.serving.load import HOST, free_port
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.small_service import (
    FEATURES,
    Killed,
    Made,
    ended,
    has,
    serving,
)
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.support.errors import InputError

END_SECONDS = 15.0
FLIPS = 15
"""A bundle is damaged so often for each try: it takes no process."""


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng = random.Random(seed)
    made = Made(scratch)
    killed = Killed(made.copy("killed"), rng)
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


def _second(made: Made, at: int) -> bool:
    folder = made.copy(f"second{at}")
    with serving(folder) as first:
        added = first.add("a") == 201
        refused = ended("-m", "serving", "http", "--bundle", str(folder), "--port", str(free_port()))
        with serving(folder, "--read-only") as reader:
            read = reader.add("b") == 403
        added = added and first.add("c") == 201
    return added and read and _in_a_sentence(refused, "another service writes to") and has(folder, "ac")


def _anew(made: Made, at: int) -> bool:
    folder = made.copy(f"anew{at}")
    with serving(folder) as service:
        added = service.add("a") == 201
        plain = ended(*made.index, "--out", str(folder))
        replacing = ended(*made.index, "--out", str(folder), "--replace")
        added = added and service.add("b") == 201
    refused = _in_a_sentence(plain, "or --replace"), _in_a_sentence(replacing, "stop it first")
    return added and all(refused) and has(folder, "ab")


def _unfinished(made: Made, at: int) -> bool:
    folder = made.copy(f"unfinished{at}")
    head = b"POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(folder) as service, contextlib.ExitStack() as held:
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
    return added and code == 0 and not (folder / "changes.log").exists() and has(folder, "a")


def _damaged(made: Made, rng: random.Random, times: int) -> int:
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


def _in_a_sentence(ended: subprocess.CompletedProcess[str], words: str) -> bool:
    return ended.returncode == 2 and words in ended.stderr and ended.stderr.count("\n") == 1
