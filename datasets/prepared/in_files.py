"""A dataset in memory becomes one in files, so that processes share it instead of copying it."""

from __future__ import annotations

import atexit
import io
import pickle
import secrets
import shutil
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.ids import compact
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.locks import held, locked
from retrieval_leaderboard.support.storage.mapped import Mapped, open_array

LARGE = 500_000
"""Interactions from which a dataset is worth files"""
ARRAY_BYTES = 2**16
"""Of an array that gets a file; smaller ones are copied"""


def in_files(dataset: Dataset) -> Dataset:
    """The same dataset with its arrays mapped from files, where it is large and in memory; else itself.

    Pickled, it is paths. The files are in the cache and go when this process ends; those of a process that
    was killed go with the next one's. Where they cannot be written, the dataset stays in memory.
    """
    if len(dataset.train_valid) < LARGE or isinstance(dataset.train_valid.item, Mapped):
        return dataset
    try:
        folder = _folder(cache_dir() / "shared")
        fingerprint = dataset.fingerprint
        user_ids, item_ids = compact(dataset.user_ids), compact(dataset.item_ids)
        filed: Dataset = _filed(replace(dataset, user_ids=user_ids, item_ids=item_ids), folder)
    except (InputError, OSError):
        return dataset
    vars(filed)["fingerprint"] = fingerprint  # What `cached_property` would keep.
    return filed


def _filed(value: Any, folder: Path) -> Any:
    """A copy of `value` whose large arrays are maps of files in `folder`."""
    content = io.BytesIO()
    _Filing(content, folder).dump(value)
    return pickle.loads(content.getbuffer())


class _Filing(pickle.Pickler):
    """Pickles large arrays as files, each once."""

    def __init__(self, content: io.BytesIO, folder: Path) -> None:
        super().__init__(content, pickle.HIGHEST_PROTOCOL)
        self._folder, self._files = folder, 0

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not np.ndarray or value.dtype.hasobject or value.nbytes < ARRAY_BYTES:
            return NotImplemented
        path = self._folder / f"{self._files}.npy"
        self._files += 1
        np.save(path, np.ascontiguousarray(value))
        return open_array, (path,)


def _folder(parent: Path) -> Path:
    """A fresh folder that this process holds, and removes at its end."""
    kept = ExitStack()
    with locked(parent, f"another command is working in {parent}: waiting for it"):
        _tidy(parent)
        folder = parent / secrets.token_hex(4)
        kept.callback(shutil.rmtree, folder, ignore_errors=True)
        kept.enter_context(locked(folder, ""))
    atexit.register(kept.close)
    return folder


def _tidy(parent: Path) -> None:
    """Remove folders that no process holds any more."""
    for lock in parent.glob("*/.lock"):
        with suppress(InputError, OSError), held(lock, "in use"):
            shutil.rmtree(lock.parent, ignore_errors=True)
