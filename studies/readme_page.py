"""The README's table and chart of a real dataset, from stored runs: `python -m studies.readme_page`."""

from __future__ import annotations

import argparse
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports import propagation
from retrieval_leaderboard.evaluation.reports.board import Board, Row, read_boards
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.evaluation.reports.leaderboard import LEADERBOARD
from retrieval_leaderboard.evaluation.reports.pages import command
from retrieval_leaderboard.studies import figures
from retrieval_leaderboard.studies.row_selection import select_rows
from retrieval_leaderboard.support import markdown, pages

DATASET, HEADING = "gowalla", "gowalla: published, seen items excluded, top 20"
CHART = Path("docs") / "readme.svg"
SHOWN = {"ndcg": "NDCG", "recall": "Recall"}
PROPAGATED = (
    f"{propagation.MARK} marks [fixed propagation](docs/reproduce.md#additional-rows) over the items' graph."
)


def board() -> Board:
    """The shipped board that the README shows."""
    families = read_boards(ROOT / "results" / DATASET)
    return next(family[0] for family in families if family[0].heading == HEADING)


def rows(shown: Board) -> list[Row]:
    """One row a model, best first."""
    return sorted(select_rows(shown), key=lambda row: -row.mean("ndcg"))


def tables(shown: Board) -> dict[str, str]:
    """Mark → Markdown."""
    about, found = shown.dataset, rows(shown)
    body = [
        [row.model + propagation.marked(row), *(_metric(row, name) for name in SHOWN), row.provenance.brief]
        for row in found
    ]
    header = ["model", *(f"{SHOWN[name]}@{shown.k}" for name in SHOWN), "settings by"]
    folder = f"results/{about.name}"
    notes = [
        f"{about.name}: {about.users:,} users, {about.items:,} items, {about.train_valid_interactions:,} "
        f"training interactions, {about.test_queries:,} test queries. ±: standard deviation over seeds.",
        "Settings were chosen on the validation part; the last column says how.",
        _not_improved(shown, found),
        PROPAGATED if any(map(propagation.propagates, found)) else "",
        f"Costs, slices, published numbers and further rows: [{folder}]({folder}/{LEADERBOARD}).",
    ]
    parts = [
        f"![NDCG@{shown.k} on {about.name}]({CHART.as_posix()})",
        markdown.table(body, header, numbers=range(1, 1 + len(SHOWN))),
        "\n".join(filter(None, notes)),
    ]
    return {"results": "\n\n".join(parts)}


def _not_improved(shown: Board, found: list[Row]) -> str:
    """Which of the searched rows are the defaults, and what to know of these; "" where none is."""
    usual = {
        row.model: row.settings_with_effect
        for row in shown.rows
        if row.done and row.provenance.by == "defaults"
    }
    same = [
        row.model
        for row in found
        if row.provenance.by == "budget"
        and (not command.changed(row) or row.settings_with_effect == usual.get(row.model))
    ]
    if not same:
        return ""
    return (
        f"The searches of {', '.join(same)} ended at the defaults, which were developed on this dataset and "
        "others ([docs/defaults.md](docs/defaults.md) has datasets on which they were not)."
    )


def plot(shown: Board, target: Path) -> None:
    """NDCG of each model as a bar, the best on top, with the spread over seeds."""
    figure, (axis,) = figures.panels(1, (7.5, 3), "readme")
    found = rows(shown)[::-1]
    places = range(len(found))
    means = [row.mean("ndcg") for row in found]
    spreads = [row.spread("ndcg") or 0.0 for row in found]
    axis.barh(places, means, xerr=spreads, color=[palette.color(row.model) for row in found])
    for place, value, spread in zip(places, means, spreads, strict=True):
        axis.annotate(
            f"{value:.4f}", (value + spread, place), (4, 0), textcoords="offset points", va="center"
        )
    axis.set_yticks(places, [row.model for row in found])
    axis.set(xlabel=f"NDCG@{shown.k} on {shown.dataset.name}", xlim=(0, max(means) * 1.12))
    axis.spines[["top", "right"]].set_visible(False)
    figures.save(figure, target)


def main() -> None:
    """Fill the README and draw its chart."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    shown = board()
    plot(shown, ROOT / CHART)
    pages.fill(ROOT / "README.md", tables(shown))


def _metric(row: Row, name: str) -> str:
    spread = row.spread(name)
    return f"{row.mean(name):.4f}" + ("" if spread is None else f" ± {spread:.4f}")


if __name__ == "__main__":
    main()
