"""Options that the commands of studies share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from retrieval_leaderboard import ROOT


def parser(study: str, description: str | None, datasets: Iterable[str]) -> argparse.ArgumentParser:
    """A parser of --data-dir, --datasets (by default `datasets`) and --page-only."""
    found = argparse.ArgumentParser(prog=f"python -m studies.{study}", description=description)
    found.add_argument("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="of the datasets")
    found.add_argument("--datasets", type=names, default=[*datasets], metavar="A,B", help="default: all")
    found.add_argument("--page-only", action="store_true", help="measure nothing, fill the page")
    return found


def names(text: str) -> list[str]:
    """Names that commas separate."""
    return [name for name in text.split(",") if name]
