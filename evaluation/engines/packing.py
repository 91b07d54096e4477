"""An object in one file, whose arrays every process that reads it maps into memory instead of copying."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.storage.mapped import Mapped

ALIGNMENT = 64
"""Bytes; as much as the widest instructions ask for"""
TAIL = 8
"""Bytes at the end that say where the pickle begins"""

Place = tuple[int, str, tuple[int, ...], str]
"""Where an array begins in the file, its dtype, shape and order"""


def pack(path: Path, thing: Any, here: bool) -> None:
    """Write `thing`, which may be pickled, to a file: its arrays as they are, the rest as a pickle.

    Where all who read it are on this machine, `here`, arrays that are maps of files stay in those.
    """
    with path.open("wb") as file:
        text = io.BytesIO()
        _Packer(text, file, here).dump(thing)
        start = file.tell()
        file.write(text.getvalue())
        file.write(start.to_bytes(TAIL, "little"))


def unpack(path: Path) -> Any:
    """What `pack` wrote. What a process writes to its arrays, no other process sees."""
    # Read-only arrays would have kernels compiled anew.
    whole = np.asarray(np.memmap(path, np.uint8, mode="c"))
    start = int.from_bytes(whole[-TAIL:].tobytes(), "little")
    with path.open("rb") as file:
        file.seek(start)
        return _Unpacker(file, whole).load()


class _Packer(pickle.Pickler):
    def __init__(self, text: IO[bytes], file: IO[bytes], here: bool) -> None:
        super().__init__(text, pickle.HIGHEST_PROTOCOL)
        self.file, self.here = file, here
        self.places: dict[tuple[Any, ...], tuple[Place, npt.NDArray[Any]]] = {}

    def persistent_id(self, thing: Any) -> Place | None:
        """The place of an array in the file; None for anything else, which is pickled."""
        if not isinstance(thing, np.ndarray) or thing.dtype.hasobject or not thing.nbytes:
            return None
        if self.here and isinstance(thing, Mapped):
            return None
        key = (thing.__array_interface__["data"][0], thing.strides, thing.shape, thing.dtype.str)
        if key not in self.places:
            # Kept, for another array may else come to lie where this one did.
            self.places[key] = self._written(thing), thing
        return self.places[key][0]

    def _written(self, array: npt.NDArray[Any]) -> Place:
        self.file.write(bytes(-self.file.tell() % ALIGNMENT))
        start, columns = self.file.tell(), array.flags.f_contiguous and not array.flags.c_contiguous
        np.ascontiguousarray(array.T if columns else array).tofile(self.file)
        return start, array.dtype.str, array.shape, "F" if columns else "C"


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: IO[bytes], whole: npt.NDArray[np.uint8]) -> None:
        super().__init__(file)
        self.whole = whole

    def persistent_load(self, place: Place) -> npt.NDArray[Any]:
        start, dtype, shape, order = place
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        flat = self.whole[start : start + size].view(dtype)
        return flat.reshape(shape, order="F" if order == "F" else "C")
