"""Damage to what is kept: flipped bits, foreign bytes, cuts and tails, in every file of runs and searches."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.command import Small, small_log
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models.saving import RECORD, STATE, WEIGHTS
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import records, runner
from retrieval_leaderboard.evaluation.tuning import database
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.training.checkpoint import FILE, Checkpoints
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.sealed import DamagedError

TIMES = 30
"""A file is damaged so often for each try: it takes no process."""
Found = Callable[[Path, io.StringIO], bool]
"""Whether damage in a folder is found, and told in what is printed meanwhile"""


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng, times = random.Random(seed), TIMES * tries
    small = Small(small_log(scratch), scratch / "flips", ("item_cf", "infonce"))
    small.ended("--models", "item_cf", "--tune", "3").check_returncode()
    small.ended().check_returncode()
    (trained,) = small.runs.glob("infonce-*")
    told = "the run is named, stands on no board and is run again"
    refused = "named, not served, and run again"
    subjects: list[tuple[Path, str, Found, str]] = [
        (trained, RECORD, _no_record, told),
        (trained, WEIGHTS, _not_loaded, refused),
        (trained, STATE, _not_loaded, refused),
        (trained, records.LISTS, _undone, "named, and run again"),
        (_checkpoint(scratch / "checkpoint"), FILE, _no_state, "named; the training begins anew"),
        (small.runs.parent, database.DATABASE, _same_trials(small.runs.parent),
         "named with what to do, or no trial differs"),
    ]  # fmt: skip
    rows: list[Row] = []
    for folder, name, found, right in subjects:
        held = sum(_damaged(folder, name, scratch / "work", rng, found) for _ in range(times))
        rows.append((f"damage to {name}", times, held, right))
    return rows


def _damaged(folder: Path, name: str, work: Path, rng: random.Random, found: Found) -> bool:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work, ignore=shutil.ignore_patterns("runs"))
    content = bytearray((work / name).read_bytes())
    damage(content, rng)
    (work / name).write_bytes(content)
    progress.warn_once.cache_clear()
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(said):
        return found(work, said)


def damage(content: bytearray, rng: random.Random) -> None:
    """Change `content`, most often by one bit."""
    before, kind, at = bytes(content), rng.random(), rng.randrange(len(content))
    while content == before:
        if kind < 0.75:
            content[at] ^= 1 << rng.randrange(8)
        elif kind < 0.85:
            del content[at:]
        elif kind < 0.92:
            content[at : at + 8] = rng.randbytes(8)
        else:
            content += rng.randbytes(rng.randrange(1, 50))


def _no_record(folder: Path, said: io.StringIO) -> bool:
    return records.read(folder) is None and str(folder / RECORD) in said.getvalue()


def _undone(folder: Path, said: io.StringIO) -> bool:
    return not runner.is_done(folder) and str(folder) in said.getvalue()


def _not_loaded(folder: Path, said: io.StringIO) -> bool:
    try:
        InfoNCE.load(folder)
    except InputError:
        return _undone(folder, said)
    return False


def _no_state(folder: Path, said: io.StringIO) -> bool:
    return Checkpoints(folder, 0.0, resume=True).load() is None and str(folder / FILE) in said.getvalue()


def _same_trials(board: Path) -> Found:
    before = _trials(board)

    def same(folder: Path, _: io.StringIO) -> bool:
        try:
            return _trials(folder) == before
        except DamagedError:
            return True

    return same


def _trials(board: Path) -> list[Any]:
    """All that a search takes from its database."""
    (record,) = (board / "tuning").glob("*.json")
    study = database.opened(database.url(board), record.stem, anew=False)
    with database.usable(database.url(board)):
        finished = database.finished_trials(study)
    return [(trial.params, trial.state, trial.values, database.outcome(trial)) for trial in finished]


def _checkpoint(folder: Path) -> Path:
    model = InfoNCE(embedding_dim=8, epochs=1, batch_size=64)
    model.keep_checkpoints(folder, 0.0, resume=False)
    with contextlib.redirect_stdout(io.StringIO()):
        harness.fit(model, planted(), 0)
    return folder
