"""The tables of docs/reliability.md, from the stored figures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.storage.files import write_json

FIGURES, PAGE = Path(__file__).parent / "figures.json", ROOT / "docs" / "reliability.md"
HEADER = ("fault", "tries", "right", "what is right")


def table(found: dict[str, Any]) -> str:
    """A row a kind of fault, as Markdown."""
    rows = [[fault, f"{tries:,}", f"{held:,}", right] for fault, tries, held, right in found["rows"]]
    return markdown.table(rows, HEADER, numbers=(1, 2))


def tables(figures: dict[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Subject → Markdown, for every subject of `figures` and all `names`."""
    of_figures = {name: f"{table(found)}\n\n{_conditions(found)}" for name, found in figures.items()}
    return dict.fromkeys(names, pages.NOT_MEASURED) | of_figures


def _conditions(found: dict[str, Any]) -> str:
    return (
        f"Seed {found['seed']}, {found['seconds']:,} s on {found['processor']}, cores: {found['cores']}, "
        f"{found['date']}, commit `{found['commit']}`."
    )


def save(name: str, found: dict[str, Any]) -> None:
    """Keep the figures of a subject, beside those of the others, and fill the page."""
    figures = stored() | {name: found}
    write_json(FIGURES, dict(sorted(figures.items())))
    pages.fill(PAGE, tables(figures, pages.marks(PAGE.read_text(encoding="utf-8"))))


def stored() -> dict[str, Any]:
    """Subject → its stored figures."""
    return json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
