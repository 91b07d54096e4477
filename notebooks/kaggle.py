"""What the notebooks' cells call: packages, inputs, an earlier version's results, commands, a service.

A kernel on Kaggle has Kaggle's packages loaded. So nothing here imports more than the standard library and
what every kernel has; what is computed runs in processes of its own, which have the locked packages.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from packaging.requirements import Requirement

from retrieval_leaderboard.notebooks.wheels import by_lock
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.stopping import death
from retrieval_leaderboard.support.storage.files import atomic_folder

DEPTH = 6
"""How many folders below the inputs files are looked for"""
STOPPED = (130, -signal.SIGINT)
"""Exit codes of run_all.py after Ctrl-C: once it is underway, and before"""
ALIEC = "raw_sample.csv"
"""The file that AliEC's folder is known by"""
KEPT = "leaderboard"
"""Folder of all that a later version goes on from"""
EXTRAS = ("serve", "report")
TURN_ON = "Settings → Accelerator → GPU T4 x2, then run all cells again"
PROBE = "import torch; torch.ones(1, device='cuda').item(); print(torch.cuda.get_device_name())"
READY_SECONDS = 120


@dataclass(frozen=True)
class Session:
    """The folders of a session."""

    code: Path
    """This repository"""
    inputs: Path
    """What is attached; it is only read"""
    working: Path
    """Kept as the output of this version of the notebook"""
    scratch: Path
    """Lost with the session"""

    @property
    def kept(self) -> Path:
        """Results and settings that a later version goes on from."""
        return self.working / KEPT

    @property
    def packages(self) -> Path:
        """The locked packages, where Kaggle's own would not do."""
        return self.scratch / "packages"

    def found(self, pattern: str) -> list[Path]:
        """The files or folders of that pattern among the inputs, the nearest first."""
        return [path for depth in range(DEPTH) for path in sorted(self.inputs.glob("*/" * depth + pattern))]

    def install(self) -> str:
        """Install the locked packages beside Kaggle's, unless these would do; what was done, in words.

        Attached wheels are used where there are any. PyTorch is never installed.

        Raises:
            InputError: PyTorch is too old, or pip fails; it says what to do.
        """
        lacking = unmet(self.code / "pyproject.toml")
        if old := [each for each in lacking if each.startswith("torch")]:
            raise InputError(f"{old[0]} is needed: choose Settings → Environment → Always use latest")
        if self.packages.is_dir() or not lacking:
            return f"to install: nothing ({sys.version.split()[0]})"
        wheels = next(iter(self.found("implicit-*.whl")), None)
        offline = ["--no-index", "--find-links", str(wheels.parent)] if wheels else []
        with atomic_folder(self.packages) as folder:
            words = ["pip", "install", "--quiet", *by_lock(self.code), *offline, "--target", str(folder)]
            if subprocess.run([sys.executable, "-m", *words], check=False).returncode:
                python = ".".join(map(str, sys.version_info[:2]))
                raise InputError(
                    "pip cannot install the packages: turn the internet on, or attach the folder that "
                    f"'python -m notebooks.wheels --python {python} --out wheels' makes of this repository"
                )
        origin = "the attached wheels" if wheels else "the internet"
        return f"installed from {origin}, for Kaggle's do not meet {', '.join(lacking)}"

    def device(self) -> str:
        """What `--device` is to say; prints the GPU's name, or how to have one."""
        why = "NO GPU"
        if DEVICES["cuda"].may_be_here():
            line, there = [sys.executable, "-c", PROBE], self._environment()
            probed = subprocess.run(line, env=there, capture_output=True, text=True, check=False)
            if not probed.returncode:
                print(f"GPU: {probed.stdout.strip()}")
                return "cuda"
            why = "THIS PYTORCH CANNOT USE THE GPU"
        print(f"{why}: going on with the CPU, which takes much longer. To have one: {TURN_ON}")
        return "cpu"

    def bring_back(self) -> str:
        """Copy what an earlier version kept, if its output is attached; what was done, in words.

        Raises:
            InputError: the outputs of several versions are attached.
        """
        if self.kept.is_dir():
            return "going on with what is here"
        earlier = [path.parent for path in self.found(f"{KEPT}/results")]
        if len(earlier) > 1:
            names = ", ".join(str(path.relative_to(self.inputs)) for path in earlier)
            raise InputError(f"{names}: attach the output of the latest version only, which has all")
        if not earlier:
            return "beginning anew: no earlier version's output is attached"
        with atomic_folder(self.kept) as target:
            _copy(earlier[0], target)
        return f"going on from {earlier[0].relative_to(self.inputs)}"

    def leaderboard(self, *words: str | Path, device: str, hours: float = 24) -> bool:
        """`run` of run_all.py with `words`, whose results, settings and checkpoints are kept."""
        (self.kept / "configs").mkdir(parents=True, exist_ok=True)
        stopped = ["--resume"] if any(self.kept.glob("results/*/checkpoints/*")) else []
        kept = ["--results-dir", f"{KEPT}/results", "--configs-dir", f"{KEPT}/configs", *stopped]
        line = [self.code / "run_all.py", *words, "--device", device, *kept, "--report", "svg"]
        return self.run(*line, hours=hours)

    def run(self, *words: str | Path, hours: float = 24) -> bool:
        """Run `python` with `words` in the working folder and print what it prints; stop it after `hours`.

        Returns:
            Whether it came to its end; False where the time was up.

        Raises:
            InputError: it ended with an error, which stands in what it printed.
        """
        line = [sys.executable, "-u", *map(str, words)]
        command = subprocess.Popen(
            line, cwd=self.working, env=self._environment(), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        limit = threading.Timer(3600 * hours, command.send_signal, [signal.SIGINT])
        limit.start()
        try:
            _print_all(command)
        except KeyboardInterrupt:
            command.send_signal(signal.SIGINT)
            _print_all(command)
            raise
        finally:
            limit.cancel()
        if command.returncode not in (0, *STOPPED):
            raise InputError(f"the command {death(command.returncode)}: the lines above say why")
        return command.returncode == 0

    @contextmanager
    def served(self, bundle: Path) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
        """Yield a call that posts a request to a service of `bundle`, which ends with the block.

        Raises:
            InputError: the service does not start; it has printed why.
        """
        port = _free_port()
        line = [sys.executable, "-m", "retrieval_leaderboard.serving", "http", "--read-only"]
        line += ["--bundle", str(bundle), "--port", str(port)]
        service = subprocess.Popen(line, cwd=self.working, env=self._environment(), stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(service, f"{address}/ready")
            yield lambda request: _posted(f"{address}/recommend", request)
        finally:
            service.terminate()
            service.wait()

    def _environment(self) -> dict[str, str]:
        there = os.environ.get("PYTHONPATH")
        path = [str(self.packages), str(self.code), *([there] if there else [])]
        return os.environ | {
            "PYTHONPATH": os.pathsep.join(path),
            "RETRIEVAL_CACHE": str(self.scratch / "cache"),
        }


def unmet(pyproject: Path) -> list[str]:
    """The requirements of runs, charts and bundles in `pyproject` that the installed packages do not meet."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    lines = [*project["dependencies"], *(line for name in EXTRAS for line in extras.get(name, []))]
    return [line for line in lines if not _met(Requirement(line))]


def _met(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def best_run(board: Path) -> Path:
    """The folder of the latest run, of seed 0, of the model that leads a board's official rows by NDCG."""
    rows = [row for row in _rows(board) if (row["official"], row["status"]) == ("True", "done")]
    (metric,) = [name for name in rows[0] if name.startswith("ndcg@")][:1]
    scores: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        scores.setdefault((row["model"], row["name"]), []).append(float(row[metric]))
    model, _ = max(scores, key=lambda each: sum(scores[each]) / len(scores[each]))
    return max(board.glob(f"runs/{model}-seed0-*"), key=lambda path: path.stat().st_mtime)


def _rows(board: Path) -> list[dict[str, str]]:
    with (board / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def opening(page: Path) -> str:
    """The verdict and the tables of rows of a board's page, without links to what comes below."""
    head, *sections = page.read_text(encoding="utf-8").split("\n## ")
    rows = itertools.takewhile(lambda each: each.startswith(("Models", "Explored further")), sections)
    text = "\n## ".join([head, *rows])
    return re.sub(r"\[([^\]]+)\]\(#[^)]+\)", r"\1", text)


def _copy(folder: Path, target: Path) -> None:
    """All files without their rights: inputs are read-only, and what is kept is written again."""
    for path in sorted(folder.rglob("*")):
        place = target / path.relative_to(folder)
        if path.is_dir():
            place.mkdir()
        else:
            shutil.copyfile(path, place)


def _print_all(command: subprocess.Popen[str]) -> None:
    """Print the lines of `command` until it has ended."""
    assert command.stdout is not None
    for text in command.stdout:
        print(text, end="", flush=True)
    command.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(service: subprocess.Popen[bytes], address: str) -> None:
    patience = time.monotonic() + READY_SECONDS
    while time.monotonic() < patience and service.poll() is None:
        try:
            urlopen(address).close()
            return
        except URLError:
            time.sleep(0.1)
    raise InputError("the service does not start: the lines above say why")


def _posted(address: str, request: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(request).encode()
    with urlopen(Request(address, body, {"Content-Type": "application/json"})) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
