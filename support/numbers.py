"""Numbers of command lines that have limits."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def within(low: int, high: int) -> Callable[[str], int]:
    """A type for argparse: whole numbers from `low` to `high`."""

    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not from {low} to {high:,}")
        return value

    return number
