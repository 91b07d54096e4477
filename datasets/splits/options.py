"""The command line's options for a split, the same for every command that makes one."""

from __future__ import annotations

import argparse
from typing import Any

from retrieval_leaderboard.datasets.splits.holdout import CARVES
from retrieval_leaderboard.datasets.splits.order import TIES
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS

NAMES = {
    "protocol": "--protocol",
    "split_seed": "--split-seed",
    "carve": "--carve",
    "ties": "--ties",
    "exclude_seen": "--exclude-seen",
}
"""Argument of `load` → its option"""


def add_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add them to a parser or a group of one."""
    add = parser.add_argument
    add("--protocol", metavar="NAME", help=f"{', '.join(PROTOCOLS)} (default: the dataset's)")
    add("--split-seed", type=int, metavar="S", help="seed of everything random in the split (default: 0)")
    ties = " or ".join(f"{name} ({words})" for name, words in TIES.items())
    add("--ties", metavar="HOW", help=f"order of a user's interactions at one time: {ties} (default: random)")
    carves = " or ".join(f"{name} ({words})" for name, words in CARVES.items())
    add("--carve", metavar="HOW",
        help=f"validation of a source with test rows alone: {carves} (default: the dataset's)")  # fmt: skip
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--exclude-seen", action="store_true", default=None, help="never return seen items")
    seen.add_argument(
        "--keep-seen", action="store_false", dest="exclude_seen", help="seen items may be returned"
    )


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `load`; None where nothing is said."""
    return {name: getattr(options, name) for name in NAMES}
