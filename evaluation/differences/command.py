"""The command line: `python -m evaluation diff A B`."""

from __future__ import annotations

import argparse

from retrieval_leaderboard.evaluation.differences import changes, sides, text

CHANGED = 1
"""Exit code where a metric, or which rows there are, differs"""
FORMATS = {"text": text.terminal, "md": text.as_markdown}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command `diff`."""
    parser = commands.add_parser(
        "diff", help="compare two states of results, row by row", allow_abbrev=False,
        description="Compares stored results, row by row. Exit codes: 0 no metric differs, 1 one does, or a "
        "row is new or gone, 2 bad input.",
    )  # fmt: skip
    for name in ("A", "B"):
        parser.add_argument(
            name,
            help="a folder of results or of one dataset's, a git revision (its results/), or revision:path",
        )
    parser.add_argument("--format", choices=FORMATS, default="text", help="default: text, of 80 columns")
    parser.set_defaults(work=compare)


def compare(options: argparse.Namespace) -> int:
    """Print what differs; the exit code."""
    with sides.opened(options.A) as before, sides.opened(options.B) as after:
        found = changes.between(before, after)
        print(FORMATS[options.format](found))
    return CHANGED if any(each.in_metrics for each in found) else 0
