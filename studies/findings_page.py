"""The tables of docs/findings.md, and its plot of quality against cost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from math import nan
from pathlib import Path
from statistics import mean

from retrieval_leaderboard import neural
from retrieval_leaderboard.evaluation.reports import propagation
from retrieval_leaderboard.evaluation.reports.board import Board, Row, read_boards
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.studies import figures, findings_summary, gaps_to_published
from retrieval_leaderboard.studies.ablations import SETUPS, STUDIES, Study
from retrieval_leaderboard.studies.row_selection import select_rows
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.studies.variant_scores import score, stored
from retrieval_leaderboard.support import markdown, pages

BOARDS = (
    "gowalla: published, seen items excluded, top 20",
    "yelp2018: published, seen items excluded, top 20",
    "amazon-beauty: published, seen items excluded, top 20",
    "ml-1m: next-item, seen items kept, top 20",
    "ml-1m: next-item, seen items excluded, top 20",
    "ml-1m: leave-last-one, ties as in the source, seen items excluded, top 10",
    "ml-100k: next-item, seen items kept, top 20",
    "ml-100k: next-item, seen items excluded, top 20",
    "s3rec-beauty: leave-last-one, seen items excluded, top 10",
    "s3rec-sports: leave-last-one, seen items excluded, top 10",
    "s3rec-toys: leave-last-one, seen items excluded, top 10",
)
MARKERS = "osD^vP*X"
"""Of machines"""


def write(root: Path, records: list[Finding]) -> None:
    """Fill the page and draw its plots under `root`/docs."""
    boards = list(found_boards(root / "results"))
    plot(boards, root / "docs" / "findings.svg")
    gaps = gaps_to_published.gaps(boards)
    gaps_to_published.plot(gaps, root / "docs" / "learning_curves.svg")
    pages.fill(root / "docs" / "findings.md", tables(records, boards, gaps))


def tables(records: list[Finding], boards: list[Board], gaps: list[gaps_to_published.Gap]) -> dict[str, str]:
    """Mark → Markdown; `gaps` are published numbers that are not reached."""
    return {
        "summary": findings_summary.lines(records, boards),
        "conditions": _conditions(records),
        **{study.name: _ablation(study, records) for study in STUDIES},
        "quality and cost": _quality_and_cost(boards),
        "item_cf": _item_cf(boards),
        "published": gaps_to_published.table(gaps),
        "learning curves": gaps_to_published.image(gaps),
    }


def _conditions(records: list[Finding]) -> str:
    header = ["dataset", "settings of every variant beside the defaults"]
    rows = [
        [setup.dataset, ", ".join(f"{key} {value}" for key, value in setup.settings.items()) or "–"]
        for setup in SETUPS
    ]
    minutes = sum(each.seconds for each in records) / 60
    fits = f"{len(records)} fits, {minutes:.0f} minutes together; {_machines(records)}."
    return f"{markdown.table(rows, header)}\n\n{fits}"


def _machines(records: list[Finding]) -> str:
    return "; ".join(sorted({f"{each.processor}, threads: {each.threads}" for each in records}))


def _ablation(study: Study, records: list[Finding]) -> str:
    """A row a variant, a column a dataset where the first one and another have scores to compare."""
    columns = _columns(study, records)
    if not columns:
        return pages.NOT_MEASURED
    rows = [list(line) for line in zip(study.variants, *columns.values(), strict=True)]
    return markdown.table(rows, ["", *columns])


def _columns(study: Study, records: list[Finding]) -> dict[str, list[str]]:
    """Heading of a column → a cell a variant."""
    columns = {}
    for setup in study.setups:
        found = [stored(setup, *variant, records) for variant in study.variants.values()]
        scores = [score(seeds) for seeds in found]
        base = scores[0]
        if base is not None and any(scores[1:]):
            cells = ["–" if each is None else each.text(base) for each in scores]
            title = found[0][0].title
            columns[f"{title}, {len(base.values)} seeds"] = cells
            columns |= _costs(title, found) if study.costs else {}
    return columns


def _costs(title: str, found: list[list[Finding]]) -> dict[str, list[str]]:
    """Columns with a variant's mean seconds and peak memory over its seeds."""
    seconds = [f"{mean(each.seconds for each in seeds):,.0f}" if seeds else "–" for seeds in found]
    peaks = [f"{mean(each.peak_mib or nan for each in seeds):,.0f}" if seeds else "–" for seeds in found]
    return {f"{title}, seconds": seconds, f"{title}, peak MiB": peaks}


def found_boards(results: Path) -> Iterator[Board]:
    """The boards of BOARDS, split seed 0.

    Raises:
        ValueError: one is not stored.
    """
    folders = [folder for folder in sorted(results.iterdir()) if folder.is_dir()]
    boards = {family[0].heading: family[0] for folder in folders for family in read_boards(folder)}
    missing = [heading for heading in BOARDS if heading not in boards]
    if missing:
        raise ValueError(f"no runs are stored of: {'; '.join(missing)}")
    return (boards[heading] for heading in BOARDS)


def by_machine(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by what they were timed on, cheap ones first: seconds of two machines are not compared."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.cost("fit_seconds"), -row.mean("ndcg"))):
        found.setdefault(row.machine, []).append(row)
    return found


def efficient(rows: list[Row]) -> list[Row]:
    """Those of `rows`, timed on one machine, that no other beats in quality at the same or a lower cost; by
    cost.
    """
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.cost("fit_seconds"), -row.mean("ndcg"))):
        if not found or row.mean("ndcg") > found[-1].mean("ndcg"):
            found.append(row)
    return found


def _quality_and_cost(boards: list[Board]) -> str:
    rows = [
        [
            board.heading,
            row.model + propagation.marked(row),
            row.provenance.brief,
            f"{row.mean('ndcg'):.4f}",
            f"{row.cost('fit_seconds'):,.1f}",
            machine,
            flag,
        ]
        for board in boards
        for machine, on_one in by_machine(select_rows(board)).items()
        for row, flag in zip(on_one, _flags(on_one), strict=True)
    ]
    header = ["board", "model", "settings", "NDCG", "fit s", "timed on", "efficient there"]
    return markdown.table(rows, header)


def _flags(rows: list[Row]) -> list[str]:
    """Which of the rows of one machine are efficient; a dash for one alone."""
    best = efficient(rows)
    return ["–" if len(rows) == 1 else "yes" if row in best else "" for row in rows]


def _item_cf(boards: list[Board]) -> str:
    lines = []
    for board in boards:
        rows = {row.model: row for row in select_rows(board)}
        towers = [rows[name] for name in neural.NAMES if name in rows]
        best, cells = max(towers, key=lambda row: row.mean("ndcg")), []
        for name in ("item_cf", "swing"):
            share = rows[name].mean("ndcg") / best.mean("ndcg")
            cells += [f"{share:.0%}", f"{rows[name].cost('fit_seconds'):,.1f}"]
        lines.append(
            [board.heading, best.model + propagation.marked(best), *cells, _times(best, rows["item_cf"])]
        )
    header = ["board", "best tower", "ItemCF's share of its NDCG", "ItemCF's fit s", "Swing's share"]
    header += ["Swing's fit s", "the tower's fit takes, of ItemCF's"]
    return markdown.table(lines, header)


def _times(row: Row, other: Row) -> str:
    """How many times as long the fit of `row` takes."""
    if row.machine != other.machine:
        return "timed on different machines"
    return f"{row.cost('fit_seconds') / other.cost('fit_seconds'):,.0f} ×"


def plot(boards: list[Board], target: Path) -> None:
    """NDCG over seconds to fit: a panel a board, a color a model, a marker a machine.

    Lines join the efficient models of a machine.
    """
    figure, axes = figures.panels(len(boards), (12, 4 * -(-len(boards) // 3)), "findings", columns=3)
    machines = dict.fromkeys(machine for board in boards for machine in by_machine(select_rows(board)))
    markers = dict(zip(machines, cycle(MARKERS), strict=False))
    for axis, board in zip(axes, boards, strict=True):
        for machine, rows in by_machine(select_rows(board)).items():
            line = [_point(row) for row in efficient(rows)]
            axis.plot(*zip(*line, strict=True), "-", color="lightgray", zorder=1)
            axis.plot([], [], markers[machine], color="black", markerfacecolor="none", label=machine)
            for row in rows:
                axis.plot(*_point(row), markers[machine], color=palette.color(row.model), zorder=2)
                axis.plot([], [], "o", color=palette.color(row.model), label=row.model)
        title = board.heading.rsplit(",", 1)[0].replace(", ", "\n")
        axis.set(xscale="log", xlabel="seconds to fit", ylabel=f"NDCG@{board.k}", title=title)
    figures.legend(figure, axes, columns=3)
    figures.save(figure, target)


def _point(row: Row) -> tuple[float, float]:
    return row.cost("fit_seconds"), row.mean("ndcg")
