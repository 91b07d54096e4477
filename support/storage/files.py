"""Files and folders that are either whole or absent, whatever interrupts their writing."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retrieval_leaderboard.support.errors import FULL, UNWRITABLE, InputError, UnwritableError
from retrieval_leaderboard.support.storage import durable

SCRATCH, ASIDE = ".tmp-", ".old-"
"""How names begin of what is being written, and of a folder while another one takes its place."""


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` that takes its name, and its place, on success.

    At every moment the old folder or the new one is there, whole: under its name, or, where the process
    died between two renames, set aside, for `bring_back`.

    Raises:
        UnwritableError: there is no room, or no right, to write there; `target` is as it was.
    """
    scratch = None
    try:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = _scratch(target)
            scratch.mkdir()
            mode = scratch.stat().st_mode
            yield scratch
            durable.finalize(scratch, mode)
            _replace(target, scratch)
            durable.sync_folder(target.parent)
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _replace(target: Path, scratch: Path) -> None:
    """Give the folder `scratch` the name of `target`."""
    aside = target.with_name(ASIDE + target.name)
    try:
        if target.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
            target.rename(aside)
        scratch.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def bring_back(target: Path) -> None:
    """Give a folder its name again that was set aside, where nothing has taken its place.

    Raises:
        UnwritableError: there is no right to.
    """
    aside = target.with_name(ASIDE + target.name)
    if aside.is_dir() and not target.exists():
        with writing(target):
            aside.rename(target)


def tidy(folder: Path) -> None:
    """Undo what commands that died left anywhere under `folder`, where no other command may be at work.

    A folder that was set aside returns to its place if that is empty; all else that was underway goes.
    """
    for aside in list(folder.rglob(f"{ASIDE}*")):
        bring_back(aside.with_name(aside.name.removeprefix(ASIDE)))
        shutil.rmtree(aside, ignore_errors=True)
    for scratch in list(folder.rglob(f"{SCRATCH}*")):
        if scratch.is_dir():
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            scratch.unlink(missing_ok=True)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target`; the file written there takes its name on success.

    Raises:
        UnwritableError: as `atomic_folder`.
    """
    scratch = None
    try:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            made = _scratch(target)
            made.touch(exist_ok=False)
            # A read-only file system refuses to remove even what is not there.
            scratch = made
            mode = scratch.stat().st_mode
            yield scratch
            durable.finalize(scratch, mode)
            scratch.replace(target)
            durable.sync_folder(target.parent)
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def _scratch(target: Path) -> Path:
    return target.with_name(f"{SCRATCH}{secrets.token_hex(4)}")


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Within, an error of the system that says that `target` cannot be written is an UnwritableError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = _unwritable(error)
        if reason is None:
            raise
        raise UnwritableError(
            f"cannot write {target}: {reason}; nothing half-written was left: "
            "free some space, or choose a folder that can be written"
        ) from error


def _unwritable(error: Exception) -> str | None:
    """The system's words, if it is that; safetensors and faiss tell them in their message."""
    if isinstance(error, OSError) and error.errno:
        return error.strerror if error.errno in UNWRITABLE else None
    return next((words for words in map(os.strerror, sorted(FULL)) if words in str(error)), None)


def expanded(path: str | Path) -> Path:
    """A path with the folder that "~" or "~name" stands for.

    Raises:
        InputError: nobody has that name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: there is no home folder of that name; write it in full") from error


def contents(path: Path) -> bytes:
    """All of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}; see whether it is there and whose"
        ) from error


def write_text(target: Path, text: str) -> None:
    """Write `text` (UTF-8) to `target` atomically."""
    with atomic_file(target) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_json(target: Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON to `target` atomically; NaN is refused with ValueError."""
    write_text(target, json.dumps(content, indent=1, allow_nan=False) + "\n")
