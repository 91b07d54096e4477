"""The command line's options for a file of one's own, the same for every command that reads one."""

from __future__ import annotations

import argparse
import math
from contextlib import suppress
from typing import Any

from retrieval_leaderboard.datasets.tables import columns


def add_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add them to a parser or a group of one."""
    add = parser.add_argument
    add("--columns", type=columns.parse, default={}, metavar="ROLE=NAME,…",
        help="columns of your own file: user, item, timestamp, rating; timestamp= for none")  # fmt: skip
    add("--time-format", default="", metavar="FORMAT",
        help="of its times where they are ambiguous: s, ms, us, ns or a strptime format")  # fmt: skip
    add("--min-rating", type=_finite, metavar="X", help="leave out its rows with a lower rating or label")
    add("--drop-incomplete", action="store_true", help="leave out its rows without user, item or time")


def as_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What was given, as `datasets.load` takes it."""
    names = ("columns", "time_format", "min_rating", "drop_incomplete")
    return {name: getattr(options, name) for name in names}


def _finite(text: str) -> float:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    raise argparse.ArgumentTypeError(f"{text} is no rating; give a number")
