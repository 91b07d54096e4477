"""The arrays of a safetensors file, without a copy of it in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

TYPES = {"BOOL": "?", "F16": "<f2", "F32": "<f4", "F64": "<f8"} | {
    f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}
"""The format's names of types → NumPy's"""


def load(path: Path) -> dict[str, npt.NDArray]:
    """Each array by its name, read where it is used; what is written to it stays in this process.

    The format: eight bytes with the length of a header in JSON, the header, and the arrays, of which it
    tells name, type, shape and place (https://huggingface.co/docs/safetensors).

    Raises:
        OSError, ValueError: no such file, or none that can be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    # A plain array, for which others have their fast paths; it keeps the mapping alive.
    whole = np.asarray(np.memmap(path, np.uint8, mode="c"))[8 + length :]
    return {name: _array(whole, **about) for name, about in header.items()}


def _array(
    whole: npt.NDArray[np.uint8], dtype: str, shape: list[int], data_offsets: tuple[int, int]
) -> npt.NDArray:
    begin, end = data_offsets
    return whole[begin:end].view(TYPES[dtype]).reshape(shape)
