"""Arrays that lie in .npy files: read where they are used, and handed to another process as a path."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

BLOCK = 2**22
"""Values that are looked at together where an array is larger than memory"""
CHUNK = 2**16
"""Numbers that are added together: wider ones than those of the array are made of them"""


class Mapped(np.memmap):
    """A part of a file as an array; what is computed of it is an ordinary array.

    It may be written to, for kernels are compiled for that, and the file stays as it is. It is pickled as a
    place in the file, not as content.
    """

    _mmap: mmap.mmap | None  # None where an array is a copy

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        inside = not isinstance(found, Mapped) or found._mmap is not None
        return found if inside else found.view(np.ndarray)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else array.view(np.ndarray)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._mmap is None or not self.flags.c_contiguous:
            return np.asarray(self).__reduce_ex__(protocol)
        return _mapped, (Path(str(self.filename)), self.dtype.str, self.shape, self.place())

    def place(self) -> int:
        """Where in the file it begins."""
        assert self._mmap is not None
        begin = self.offset - self.offset % mmap.ALLOCATIONGRANULARITY
        return begin + _address(self) - _address(np.frombuffer(self._mmap, np.uint8))


def _address(array: npt.NDArray) -> int:
    return int(array.__array_interface__["data"][0])


def _mapped(path: Path, dtype: str, shape: tuple[int, ...], offset: int) -> npt.NDArray:
    if 0 in shape:  # There is nothing to map.
        return np.empty(shape, dtype)
    return Mapped(path, np.dtype(dtype), "c", offset, shape)


def open_array(path: Path) -> npt.NDArray:
    """The array of an .npy file.

    Raises:
        OSError, ValueError: no such file, or it is cut short or no .npy file.
    """
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return _mapped(path, dtype.str, shape, file.tell())


def loaded(array: npt.NDArray) -> npt.NDArray:
    """`array` in memory: pages of a mapped file would stay in what this process holds."""
    if not isinstance(array, Mapped) or array._mmap is None or not array.flags.c_contiguous:
        return np.asarray(array)
    found = np.fromfile(str(array.filename), array.dtype, array.size, offset=array.place())
    return found.reshape(array.shape)


class Growing:
    """An .npy file of one dimension that arrays are appended to; whole once it is closed."""

    def __init__(self, path: Path, dtype: npt.DTypeLike) -> None:
        self.path, self.dtype, self.length = path, np.dtype(dtype), 0
        self._file: IO[bytes] = path.open("wb")
        self._header()

    def append(self, values: npt.NDArray) -> None:
        """Add `values`, of the file's type, at the end."""
        np.ascontiguousarray(values, dtype=self.dtype).tofile(self._file)
        self.length += len(values)

    def close(self) -> None:
        """Write how many values there are."""
        self._file.seek(0)
        self._header()
        self._file.close()

    def _header(self) -> None:
        # NumPy leaves room in it for a length of any number of digits.
        about = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.length,)}
        np.lib.format.write_array_header_1_0(self._file, about)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextmanager
def growing(folder: Path) -> Iterator[GrowingFolder]:
    """A folder of arrays that grow together."""
    with ExitStack() as opened:
        yield GrowingFolder(folder, opened)


class GrowingFolder:
    """Arrays by name, each in `<name>.npy` from its first values on."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self._folder, self._opened = folder, opened
        self._files: dict[str, Growing] = {}

    def append(self, name: str, values: npt.NDArray) -> int:
        """Add to an array; how long it was."""
        if name not in self._files:
            made = Growing(self._folder / f"{name}.npy", values.dtype)
            self._files[name] = self._opened.enter_context(made)
        length = self._files[name].length
        self._files[name].append(values)
        return length


def blocks(length: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices that cover an array of this length, in order."""
    return (slice(start, start + size) for start in range(0, length, size))


def counts(codes: npt.NDArray[np.integer], n: int) -> npt.NDArray[np.int64]:
    """int64[n]: how often each code below `n` occurs; `np.bincount` would copy all codes as int64."""
    found = np.zeros(n, dtype=np.int64)
    for chunk in blocks(len(codes), CHUNK):
        np.add.at(found, loaded(codes[chunk]), 1)
    return found


def sums(
    codes: npt.NDArray[np.integer], values: Callable[[slice], npt.NDArray[Any]], n: int
) -> npt.NDArray[np.float64]:
    """float64[n]: the sum of the values of each code below `n`, to the bit as of `np.bincount`, which would
    copy all codes and values as numbers of 64 bits.

    Args:
        codes: [m].
        values: a part of the codes → their values.
        n: one more than the largest code there may be.
    """
    found = np.zeros(n)
    for chunk in blocks(len(codes), CHUNK):
        np.add.at(found, loaded(codes[chunk]), np.asarray(values(chunk), np.float64))
    return found
