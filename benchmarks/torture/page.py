"""docs/reliability.md, from the stored figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tabulate import tabulate

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.files import write_json, write_text

FIGURES, PAGE = Path(__file__).parent / "figures.json", ROOT / "docs" / "reliability.md"
TITLES = {
    "archives": "Archives and downloads",
    "caches": "Data caches",
    "disk": "A full disk",
    "flips": "Damaged files",
    "parsers": "Files that are read",
    "resume": "Training that goes on",
    "runs": "Killed processes",
    "service": "The service",
    "signals": "Signals",
}
HEADER = ("fault", "tries", "right", "what is right")
INTRODUCTION = """\
# Reliability

Written by `python -m benchmarks.torture --save` from `benchmarks/torture/figures.json`; `make torture`
repeats it and prints the tables. Faults are put in on purpose, with a seed: processes are killed at random
moments, stored files are damaged, disks are full. A try is right where all that the last column says holds.
"""


def title(name: str) -> str:
    """The heading of a subject."""
    return TITLES.get(name, name)


def table(found: dict[str, Any]) -> str:
    """A row a kind of fault, as Markdown."""
    rows = [[fault, f"{tries:,}", f"{held:,}", right] for fault, tries, held, right in found["rows"]]
    align = ("left", "right", "right", "left")
    return tabulate(rows, HEADER, tablefmt="pipe", colalign=align, disable_numparse=True)


def of_figures() -> str:
    """The whole page, from what is kept of each subject."""
    figures: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    parts = [INTRODUCTION]
    for name, found in sorted(figures.items(), key=lambda pair: title(pair[0])):
        parts.append(f"## {title(name)}\n\n{table(found)}\n\n{_conditions(found)}\n")
    return "\n".join(parts)


def _conditions(found: dict[str, Any]) -> str:
    return (
        f"Seed {found['seed']}, {found['seconds']:,} s on {found['processor']}, cores: {found['cores']}, "
        f"{found['date']}, commit `{found['commit']}`."
    )


def save(name: str, found: dict[str, Any]) -> None:
    """Keep the figures of a subject, beside those of the others, and write the page."""
    stored = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    write_json(FIGURES, dict(sorted((stored | {name: found}).items())))
    write_text(PAGE, of_figures())
