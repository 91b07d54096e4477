"""The command line's options for one's own data, the same for every command that reads it."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec, option


def add_arguments(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, leave_out: Collection[str] = ()
) -> None:
    """Add them to a parser or a group of one: an option for each field of `DataSpec` but those left out."""
    for each in (each for each in fields(DataSpec) if each.name not in leave_out):
        name, about = option(each.name), each.metadata
        if about["parse"] is values.flag:
            parser.add_argument(name, action="store_true", default=None, help=about["help"])
        elif about["parse"] is values.tables:
            add_paths(parser, name, about["metavar"], about["help"])
        else:
            parser.add_argument(name, metavar=about["metavar"], help=about["help"])


def add_paths(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, name: str, metavar: str, about: str
) -> None:
    """Add an option that takes one or several paths, and may be given again for more."""
    parser.add_argument(name, nargs="+", action="extend", metavar=metavar, help=about)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Field → what was given for it; InputError for a value that is none of the field's."""
    found = {each.name: getattr(options, each.name, None) for each in fields(DataSpec)}
    said = {name: value for name, value in found.items() if value is not None}
    spec = DataSpec.of(said)
    return {name: getattr(spec, name) for name in said}
