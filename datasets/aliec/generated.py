"""The embedded data: generated once, kept in the cache, and generated again where it is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

from retrieval_leaderboard.datasets.aliec import reader, simulator
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums
from retrieval_leaderboard.support.storage.locks import locked


def load(cache: Path, scale: float | None) -> Log:
    """The log of the generator's files of a scale, those by default for None, which lie under `cache`.

    Raises:
        InputError: the scale is out of range, or `cache` cannot be written.
    """
    scale = simulator.DEFAULT_SCALE if scale is None else values.number(scale, "--scale")
    folder = cache / "aliec-sim" / f"scale-{scale}-seed-0-v{simulator.FORMAT}"
    _generate(cache, folder, scale, simulator.MARKER)
    try:
        return reader.load(folder, cache)
    except reader.DamagedError:
        _generate(cache, folder, scale)
        return reader.load(folder, cache)


def _generate(cache: Path, folder: Path, scale: float, *checked: str) -> None:
    """Have the generator's files in `folder`, made by one process while others wait.

    Of what is there, the files `checked` are compared with their sums; all by default.
    """
    if not _flaw(folder, checked):
        return
    with locked(cache, f"another command is filling {cache}: waiting for it"):
        flaw = _flaw(folder, checked)
        if folder.exists() and flaw:
            progress.say(f"{folder} is damaged ({flaw}): it is made anew")
            shutil.rmtree(folder, ignore_errors=True)
        if flaw:
            simulator.generate(folder, scale)


def _flaw(folder: Path, checked: tuple[str, ...]) -> str:
    """Why generated files cannot be used; "" where they can."""
    try:
        return checksums.damage(folder, *checked) if reader.find(folder) else "its files are gone"
    except InputError as error:
        return str(error)
