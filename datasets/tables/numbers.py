"""Columns of plain numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.tables.cells import Cells

TRUTHS = {"true": "1", "false": "0"}


def read(cells: Cells, advice: str = "") -> npt.NDArray[np.float32]:
    """float32[n]; true and false are 1 and 0.

    Raises:
        InputError: one that is no finite number, with its line and what else to do, `advice`.
    """
    return _read(cells, advice, np.float32)


def read_exact(cells: Cells, advice: str = "") -> npt.NDArray[np.float64]:
    """float64[n]; else as `read`."""
    return _read(cells, advice, np.float64)


def _read(cells: Cells, advice: str, dtype: type[np.floating]) -> npt.NDArray:
    import pandas as pd

    values = cells.values
    if not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        text = values.astype(str).str.strip()
        values = pd.to_numeric(text.str.lower().map(TRUTHS).fillna(text), errors="coerce")
    with np.errstate(over="ignore"):  # What is too large is refused below.
        numbers = values.to_numpy(dtype=dtype, na_value=np.nan)
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise cells.wrong(at, f"is not a number; correct it{cells.hint(at)}{advice}")
    return numbers
