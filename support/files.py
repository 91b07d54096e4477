"""Files and folders that are either whole or absent, whatever interrupts their writing."""

import errno
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import durable
from support.errors import InputError

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS}
UNWRITABLE |= {errno.ENOTDIR, errno.EEXIST, errno.EIO, errno.ENAMETOOLONG}


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` that takes its name, and its place, on success.

    Raises:
        InputError: there is no room, or no right, to write there; `target` is as it was.
    """
    scratch = None
    try:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = _scratch(target)
            scratch.mkdir()
            mode = scratch.stat().st_mode
            yield scratch
            durable.settle(scratch, mode)
            if target.exists():
                shutil.rmtree(target)
            scratch.rename(target)
            durable.sync_folder(target.parent)
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target`; the file written there takes its name on success.

    Raises:
        InputError: as `atomic_folder`.
    """
    scratch = None
    try:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = _scratch(target)
            scratch.touch(exist_ok=False)
            mode = scratch.stat().st_mode
            yield scratch
            durable.settle(scratch, mode)
            scratch.replace(target)
            durable.sync_folder(target.parent)
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def _scratch(target: Path) -> Path:
    return target.with_name(f".tmp-{secrets.token_hex(4)}")


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Within, an error of the system that says that `target` cannot be written is an InputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise InputError(
            f"cannot write {target}: {error.strerror}; nothing half-written was left: "
            "free some space, or choose a folder that can be written"
        ) from error


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
