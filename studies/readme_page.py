"""The README's table and chart of a real dataset, from stored runs: `python -m studies.readme_page`."""

from __future__ import annotations

import argparse
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports import main_table, propagation
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.evaluation.reports.leaderboard import LEADERBOARD
from retrieval_leaderboard.evaluation.reports.report import Entry, Report, report
from retrieval_leaderboard.evaluation.statistics.standing import Interval
from retrieval_leaderboard.studies import figures
from retrieval_leaderboard.studies.findings_page import found_boards
from retrieval_leaderboard.studies.findings_summary import shares_of_cheap
from retrieval_leaderboard.studies.row_selection import select_rows
from retrieval_leaderboard.support import markdown, pages

DATASET, HEADING = "gowalla", "gowalla: published, seen items excluded, top 20"
RESULTS = ROOT / "results"
CHART = Path("docs") / "readme.svg"
PROPAGATED = (
    f"{propagation.MARK}: an item's vector also holds those of the items most often taken by the same users "
    "([fixed propagation](docs/reproduce.md#additional-rows))."
)


def board() -> Report:
    """The shipped board that the README shows."""
    families = read_boards(RESULTS / DATASET)
    return report(next(family[0] for family in families if family[0].heading == HEADING))


def entries(shown: Report) -> list[Entry]:
    """One row a model, best first."""
    chosen = {id(row) for row in select_rows(shown.board)}
    return [each for each in shown.entries if id(each.row) in chosen]


def tables(shown: Report) -> dict[str, str]:
    """Mark → Markdown."""
    about, k, found = shown.board.dataset, shown.board.k, entries(shown)
    header = ["rank", "model", f"NDCG@{k}", "95 % interval", f"Recall@{k}", "settings by"]
    folder = f"results/{about.name}"
    notes = [
        f"{about.name}: {about.users:,} users, {about.items:,} items, {about.train_valid_interactions:,} "
        f"training interactions, {about.test_queries:,} test queries.",
        "One row a model: the official one of the most trials, with its rank among all official rows; a "
        "range is a tie within noise.",
        "Settings were chosen on the validation part, whose shape was chosen by test results "
        "([why](docs/metrics.md#validation)), from defaults that were developed on this dataset and others "
        "([docs/defaults.md](docs/defaults.md) has four that were looked at later).",
        PROPAGATED if any(propagation.propagates(each.row) for each in found) else "",
        f"Costs, slices, published numbers and further rows: [{folder}]({folder}/{LEADERBOARD}).",
    ]
    which = (
        "**Which model?** Tune item_cf and swing first, which fit in seconds. The better of the two reaches "
        f"this share of the best tower's NDCG: {shares_of_cheap(list(found_boards(RESULTS)))}. "
        "Other boards of ml-1m and ml-100k: [docs/findings.md](docs/findings.md)."
    )
    parts = [
        f"![NDCG@{k} on {about.name}]({CHART.as_posix()})",
        markdown.table([_cells(each) for each in found], header, numbers=(2, 4)),
        " ".join(filter(None, notes)),
        which,
    ]
    return {"results": "\n\n".join(parts)}


def _cells(entry: Entry) -> list[str]:
    row = entry.row
    return [
        entry.standing.rank if entry.standing else "",
        row.model + propagation.marked(row),
        main_table.mean_cell(row, "ndcg"),
        main_table.interval_cell(entry),
        main_table.mean_cell(row, "recall"),
        row.provenance.brief,
    ]


def plot(shown: Report, target: Path) -> None:
    """NDCG of each model as a bar, the best on top, with its interval."""
    figure, (axis,) = figures.panels(1, (7.5, 3), "readme")
    found = entries(shown)[::-1]
    places = range(len(found))
    means = [each.ndcg for each in found]
    sure = [each.interval or Interval(each.ndcg, each.ndcg, each.ndcg) for each in found]
    beside = [
        [mean - each.low for mean, each in zip(means, sure, strict=True)],
        [each.high - mean for mean, each in zip(means, sure, strict=True)],
    ]
    axis.barh(places, means, xerr=beside, color=[palette.color(each.row.model) for each in found])
    for place, value, each in zip(places, means, sure, strict=True):
        axis.annotate(f"{value:.4f}", (each.high, place), (4, 0), textcoords="offset points", va="center")
    axis.set_yticks(places, [each.row.model for each in found])
    axis.set(xlabel=f"NDCG@{shown.board.k} on {shown.board.dataset.name}", xlim=(0, max(means) * 1.12))
    axis.spines[["top", "right"]].set_visible(False)
    figures.save(figure, target)


def main() -> None:
    """Fill the README and draw its chart."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    shown = board()
    plot(shown, ROOT / CHART)
    pages.fill(ROOT / "README.md", tables(shown))


if __name__ == "__main__":
    main()
