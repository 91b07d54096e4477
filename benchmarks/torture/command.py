"""`run_all.py` on a small log, in a session of its own, and what it left."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.models.saving import WEIGHTS
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.support.storage.files import ASIDE, SCRATCH

MODELS = ("global_hot", "item_cf", "swing")
TOWER = {"epochs": 3, "batch_size": 8, "embedding_dim": 8}
ATTEMPTS = 20
"""To put in a fault, for each that counts"""
PATIENCE = 300.0
"""Seconds after which a command counts as hanging"""


def struck(tries: int, attempt: Callable[[], bool | None]) -> int:
    """Of `tries` faults that struck something, how many had what is right follow.

    Args:
        tries: how many are counted.
        attempt: put one in; whether what followed was right, None where it struck nothing: it is made again.

    Raises:
        RuntimeError: hardly any strikes.
    """
    held = counted = 0
    for _ in range(ATTEMPTS * tries):
        if (right := attempt()) is None:
            continue
        held += right
        counted += 1
        if counted == tries:
            return held
    raise RuntimeError(f"of {ATTEMPTS * tries} faults only {counted} struck anything")


@dataclass(frozen=True)
class Small:
    """A command on a small log, and where its results go."""

    log: Path
    results: Path
    models: tuple[str, ...] = MODELS
    epochs: int = TOWER["epochs"]

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.results / self.log.stem / "runs"

    def line(self, *more: str, start: tuple[str, ...] = ("run_all.py",)) -> list[str]:
        """Its words."""
        words = ["--dataset", str(self.log), "--models", ",".join(self.models)]
        for folder in ("data", "configs", "results"):
            words += [
                f"--{folder}-dir",
                str(self.results if folder == "results" else self.log.parent / folder),
            ]
        if "infonce" in self.models:
            for key, value in (TOWER | {"epochs": self.epochs}).items():
                words += ["--set", f"infonce.{key}={value}"]
        return [sys.executable, "-u", *start, *words, *more]

    def ended(self, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.line(*more),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            **options,
        )

    @contextmanager
    def started(self, *more: str, start: tuple[str, ...] = ("run_all.py",)) -> Iterator[Started]:
        """Run it beside; whatever is left of it is killed on leaving."""
        self.results.mkdir(parents=True, exist_ok=True)
        output = self.results / "output.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                self.line(*more, start=start), cwd=ROOT, stdout=file, stderr=file, start_new_session=True
            )
        try:
            yield Started(process, output)
        finally:
            for pid in [process.pid, *children(process.pid)]:
                kill(pid, 9)
            process.wait()

    def state(self) -> dict[str, tuple[Any, ...]]:
        """Finished run → its metrics, lists and weights; model.json also tells what training took."""
        found = {}
        for folder, record in records.of_board(self.runs.parent).items():
            if record.is_done:
                kept = [(folder / name).read_bytes() for name in (records.LISTS, WEIGHTS)]
                found[folder.name] = (record.measured.metrics, *kept)
        return found

    def failed(self) -> list[str]:
        """The reasons of runs that failed."""
        found = records.of_board(self.runs.parent).values()
        return [record.reason for record in found if not record.is_done]

    def litter(self) -> list[Path]:
        """What commands left half-done."""
        return [path for begin in (SCRATCH, ASIDE) for path in self.results.rglob(f"{begin}*")]


@dataclass(frozen=True)
class Started:
    """A command that is underway, and the file of what it prints."""

    process: subprocess.Popen[bytes]
    output: Path

    def says(self, words: str) -> bool:
        """Wait until it has printed `words`; whether it has."""
        return until(lambda: words in self.text, self.process)

    def code(self) -> int | None:
        """The exit code, waited for; None where it hangs."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text(errors="replace")


def small_log(folder: Path) -> Path:
    """A log of 60 users in 3 groups that share items: 480 interactions."""
    rng, path = random.Random(0), folder / "log.csv"
    lines = ["user_id,item_id,timestamp"]
    for user in range(60):
        for step, item in enumerate(rng.sample(range(12), 8)):
            lines.append(f"u{user},i{item * 3 + user % 3},{1_000_000 + 1000 * step + user}")
    (folder / "configs").mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def until(holds: Callable[[], object], process: subprocess.Popen[bytes]) -> bool:
    """Wait until something holds, or the process has ended, or a minute is over; whether it holds."""
    ends = time.monotonic() + PATIENCE / 2
    while not holds():
        if process.poll() is not None or time.monotonic() > ends:
            return bool(holds())
        time.sleep(0.005)
    return True


def children(parent: int) -> list[int]:
    """Processes started by `parent`, its runs' among them, by number."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, above = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            if int(above) == parent and state != "Z":
                found.append(int(folder.name))
        except (OSError, IndexError):
            continue
    return found


def workers(parent: int) -> list[int]:
    """Those of `children` that do a run."""
    found = []
    for pid in children(parent):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        found += [pid] if "spawn_main" in line else []
    return found


def kill(pid: int, number: int) -> None:
    """Send a signal; nothing where the process has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
