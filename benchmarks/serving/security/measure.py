"""All kinds of hostile clients against one small service, and its state afterwards."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard.benchmarks.serving.record import SecurityRecord, Tried
from retrieval_leaderboard.benchmarks.serving.security import bodies, crowd, fuzz
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.small_service import PATIENCE, Killed, Made, Service, serving
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.system import cores


def measure(seed: int, examples: int, kills: int, scratch: Path) -> SecurityRecord:
    """Make a small bundle in `scratch`, serve it, and let them all at it.

    Args:
        seed: of what is made up, and of the moments of kills.
        examples: requests that schemathesis may make up for each path.
        kills: how often a service is killed.
        scratch: an empty folder.

    Raises:
        InputError: as `fuzz.run`.
    """
    began = time.perf_counter()
    made = Made(scratch)
    rows = [*_one_service(made, seed, examples), _killed(made, seed, kills)]
    return SecurityRecord(
        rows=[Tried(*row) for row in rows],
        seed=seed,
        seconds=round(time.perf_counter() - began),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=environment.processor(),
        cores=cores.available(),
        commit=environment.git_commit(),
    )


def _one_service(made: Made, seed: int, examples: int) -> list[Row]:
    with serving(made.copy("attacked")) as service:
        asked = b'{"user_id": "1", "k": 50}'
        before = bodies.post(service.port, "/recommend", asked)
        rows = [*bodies.run(service.port), *crowd.run(service.port)]
        same = bodies.post(service.port, "/recommend", asked) == before and before.status == 200
        if fuzz.is_there():
            rows = [*fuzz.run(service.port, seed, examples, made.scratch), *rows]
        else:
            progress.say(fuzz.ABSENT)
        ended = _ended_well(service)
    right = "it answers as before, has printed no traceback, and ends with code 0 at SIGTERM"
    return [*rows, ("the service after all of these", 1, int(same and ended), right)]


def _ended_well(service: Service) -> bool:
    service.process.send_signal(signal.SIGTERM)
    printed, _ = service.process.communicate(timeout=PATIENCE)
    return service.process.returncode == 0 and "Traceback" not in printed


def _killed(made: Made, seed: int, kills: int) -> Row:
    killed = Killed(made.copy("killed"), random.Random(seed))
    held = sum(killed.held() for _ in range(kills))
    right = "every item that was answered with 201 is in the bundle that opens next"
    return "kill -9 while three clients add items", kills, held, right
