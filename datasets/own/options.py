"""The command line's options for one's own data, the same for every command that reads it."""

from __future__ import annotations

import argparse
from dataclasses import fields
from functools import partial

from retrieval_leaderboard.datasets.own.spec import DataSpec, option
from retrieval_leaderboard.datasets.own.values import flag


def add_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add them to a parser or a group of one: an option for each field of `DataSpec`."""
    for each in fields(DataSpec):
        name, about = option(each.name), each.metadata
        if about["parse"] is flag:
            parser.add_argument(name, action="store_true", default=None, help=about["help"])
        else:
            read = partial(about["parse"], where=name)
            parser.add_argument(name, type=read, metavar=about["metavar"], help=about["help"])


def as_spec(options: argparse.Namespace) -> DataSpec:
    """What was given."""
    found = {each.name: getattr(options, each.name) for each in fields(DataSpec)}
    return DataSpec(**{name: value for name, value in found.items() if value is not None})
