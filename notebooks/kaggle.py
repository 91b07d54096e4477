"""What the cells of train_kaggle.ipynb call: packages, inputs, earlier output, training within a time limit.

Only the standard library is needed before `missing` has said what to install.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_folder

STOPPED = (130, -signal.SIGINT)
"""Exit codes of run_all.py after Ctrl-C: once it is underway, and before."""
KEPT = {"checkpoints": "training.safetensors", "runs": "lists.npz"}
"""Kind of folder in a board → the file that makes one of use: a run without its lists is done anew."""


def missing(pyproject: Path) -> list[str]:
    """The requirements in `pyproject` of which no version is installed; what is there is left as it is."""
    required = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [line for line in required if not _installed(re.split(r"[<>=!~\[; ]", line)[0])]


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def install(requirements: list[str]) -> None:
    """Install them by pip; CalledProcessError where that fails."""
    if requirements:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *requirements], check=True)


def lay_out(inputs: Path, data: Path) -> Path:
    """Find AliEC's three files in one folder anywhere under `inputs`, and link them into `<data>/aliec`.

    Each may be gzipped, or lie in a folder of its own name, as some uploads have it. What the generator
    marked as synthetic stays so: its marker is linked too.

    Returns:
        The folder they were found in.

    Raises:
        InputError: no folder holds all three; it says what to attach.
    """
    from retrieval_leaderboard.datasets.aliec.parse import FILES
    from retrieval_leaderboard.datasets.aliec.simulator import MARKER
    from retrieval_leaderboard.datasets.sources.aliec import MANUAL

    nearest: dict[str, Path] = {}
    for folder in _folders(inputs):
        found = {path.name: path for name in FILES if (path := _file(folder, name))}
        if len(found) == len(FILES):
            marker = _file(folder, MARKER)
            _link(found | ({MARKER: marker} if marker else {}), data / "aliec")
            return folder
        nearest = max(nearest, found, key=len)
    lacking = [name for name in FILES if not {name, f"{name}.gz"} & set(nearest)]
    where = f"{next(iter(nearest.values())).parent} lacks" if nearest else f"nothing under {inputs} holds"
    raise InputError(
        f"{where} {', '.join(lacking)}: attach a dataset with all three files of AliEC in one folder by "
        f"'Add Input' ({MANUAL.partition(' and put')[0]}), or set SCALE to rehearse on synthetic data"
    )


def _folders(root: Path) -> Iterator[Path]:
    """`root` and the folders under it, sorted, without hidden ones and this repository's.

    Attached folders may be links. What lies in the repository is no input: its results are others'.
    """
    for folder, below, files in os.walk(root, followlinks=True):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if "run_all.py" in files:
            below.clear()
        yield Path(folder)


def _file(folder: Path, name: str) -> Path | None:
    places = (folder / name, folder / f"{name}.gz", folder / name / name)
    return next((path for path in places if path.is_file()), None)


def _link(files: dict[str, Path], target: Path) -> None:
    with atomic_folder(target) as scratch:
        for name, path in files.items():
            (scratch / name).symlink_to(path.resolve())


def bring_back(inputs: Path, results: Path) -> list[str]:
    """Copy checkpoints and finished runs of an earlier version's attached output into `results`.

    Where several versions are attached, the newest file counts; what `results` has already stays.

    Returns:
        What was brought, as `<dataset>/<kind>/<run>`.
    """
    found = [
        folder / KEPT[folder.parent.name]
        for folder in _folders(inputs)
        if folder.parent.name in KEPT and (folder / KEPT[folder.parent.name]).is_file()
    ]
    brought = []
    for path in sorted(found, key=lambda path: -path.stat().st_mtime):
        target = results.joinpath(*path.parts[-4:-1])
        if not target.exists():
            _copy(path.parent, target)
            brought.append("/".join(path.parts[-4:-1]))
    return brought


def _copy(folder: Path, target: Path) -> None:
    """The files of `folder` without their rights: inputs are read-only, and what is kept is written again."""
    with atomic_folder(target) as scratch:
        for path in folder.iterdir():
            if path.is_file():
                shutil.copyfile(path, scratch / path.name)


def train(repository: Path, words: list[str], hours: float, cache: Path) -> bool:
    """Run `run_all.py` with `words`, printing what it prints; stop it after `hours`, with a checkpoint.

    Returns:
        Whether it came to its end; False where the time was up.

    Raises:
        InputError: it ended with an error, which stands in what it printed.
    """
    line = [sys.executable, "-u", "run_all.py", *words]
    environment = os.environ | {"RETRIEVAL_CACHE": str(cache)}
    command = subprocess.Popen(
        line, cwd=repository, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
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
        raise InputError(f"run_all.py ended with exit code {command.returncode}: the lines above say why")
    return command.returncode == 0


def _print_all(command: subprocess.Popen[str]) -> None:
    """Print the lines of `command` until it has ended."""
    assert command.stdout is not None
    for text in command.stdout:
        print(text, end="", flush=True)
    command.wait()
