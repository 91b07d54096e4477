"""Arrays that several processes read alike, in files, whose pages they then share."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.errors import UnwritableError
from retrieval_leaderboard.support.storage import mapped
from retrieval_leaderboard.support.storage.files import atomic_file

SMALL = 2**16
"""Bytes of arrays that are not worth a file"""
KEPT_SECONDS = 3600.0
"""For which a file stays that nothing needs any more"""
_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def shared_in(folder: Path | None) -> Iterator[None]:
    """Within, models lie in their files, and what they compute in those of `folder`; None changes nothing."""
    before = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(before)
        if folder is not None:
            _prune(folder)


def are_shared() -> bool:
    """Whether models are to lie in their files."""
    return _folder.get() is not None


def shared(array: npt.NDArray) -> npt.NDArray:
    """`array`, as it lies in a file that is named after its content; as it is where nothing is shared.

    One that lies in a file stays there, and without room for a file it stays in memory. What is written to
    it stays in this process.
    """
    folder = _folder.get()
    if folder is None or array.nbytes < SMALL or _is_mapped(array):
        return array
    content = np.ascontiguousarray(array)
    name = hashlib.blake2b(content.data, digest_size=16, person=content.dtype.str.encode()).hexdigest()
    path = folder / f"{name}-{'x'.join(map(str, content.shape))}.npy"
    try:
        if not path.exists():
            with atomic_file(path) as scratch, scratch.open("wb") as file:
                np.save(file, content)
        os.utime(path)
        return np.asarray(mapped.open_array(path))
    except (UnwritableError, FileNotFoundError):  # Another process may have removed it meanwhile.
        return array


def _is_mapped(array: npt.NDArray) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap)


def _prune(folder: Path) -> None:
    """Remove files that nobody asked for lately; those who have mapped one keep it."""
    for path in folder.glob("*.npy"):
        with suppress(FileNotFoundError):  # Other processes do the same.
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
