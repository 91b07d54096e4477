"""The named datasets in a table: `python -m studies.datasets` fills `docs/datasets.md` from the registry."""

from __future__ import annotations

import argparse
import re
import sys

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support import markdown, pages

PAGE = ROOT / "docs" / "datasets.md"
HEADER = ("dataset", "users", "items", "interactions", "protocols", "license", "files")
URL = re.compile(r"https?://[^\s,)]+")


def tables() -> dict[str, str]:
    """The page's table, as Markdown."""
    return {"datasets": markdown.table(map(_row, SOURCES.values()), HEADER, numbers=(1, 2, 3))}


def _row(source: Source) -> list[str]:
    counts = (source.users, source.items, source.interactions)
    numbers = ["" if count is None else f"{count:,}" for count in counts]
    return [f"`{source.name}`", *numbers, ", ".join(source.protocols), source.license, _files(source)]


def _files(source: Source) -> str:
    """How its files are had."""
    if source.download is None:
        return "generated"
    if source.absent == "downloadable":
        return "downloaded"
    return f"by hand, [from here]({URL.findall(source.download.manual)[0]})"


def main() -> int:
    """Fill the page."""
    argparse.ArgumentParser(prog="python -m studies.datasets", description=__doc__).parse_args()
    pages.fill(PAGE, tables())
    return 0


if __name__ == "__main__":
    sys.exit(main())
