"""Dates written in digits, such as 20200131 or 513 for May 13th, which look like numbers."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

FIELDS = {
    "Y": (4, 1900, 2100),
    "y": (2, 0, 99),
    "m": (2, 1, 12),
    "d": (2, 1, 31),
    "j": (3, 1, 366),
    "H": (2, 0, 23),
    "M": (2, 0, 59),
    "S": (2, 0, 59),
}
"""directive of strptime → its digits, the lowest and the highest value"""

CODES = (
    "%Y%m%d",
    "%Y%m%d%H",
    "%Y%m%d%H%M",
    "%Y%m%d%H%M%S",
    "%Y%m",
    "%Y%j",
    "%Y",
    "%d%m%Y",
    "%m%d%Y",
    "%y%m%d",
    "%m%d",
    "%d%m",
)
"""The ways in which logs write a date without separators"""
PLAIN = ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
"""Those that a single number already gives away"""


def fitting(values: npt.NDArray[np.int64], codes: tuple[str, ...] = CODES) -> list[str]:
    """Those of `codes` in which each of `values` is a date, be it that a leading zero was lost."""
    first = values[:100]
    return [code for code in codes if len(first) and _fits(first, code) and _fits(values, code)]


def width(form: str) -> int:
    """The digits that a format of `FIELDS` alone stands for; 0 for any other format."""
    fields = re.findall(r"%(.)", form)
    if "".join(f"%{field}" for field in fields) != form or not set(fields) <= set(FIELDS):
        return 0
    return sum(FIELDS[field][0] for field in fields)


def _fits(values: npt.NDArray[np.int64], code: str) -> bool:
    rest, good = values, values >= 0
    for field in reversed(re.findall(r"%(.)", code)):
        digits, low, high = FIELDS[field]
        rest, part = np.divmod(rest, 10**digits)
        good = good & (part >= low) & (part <= high)
    written_out = values.max() >= 10 ** (width(code) - 2)
    return bool(written_out and (good & (rest == 0)).all())
