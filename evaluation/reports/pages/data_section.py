"""A board's sections on its data, on where its rows come from, and on other splits of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.evaluation.reports import main_table
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.labels import labels, written
from retrieval_leaderboard.support import markdown

FINGERPRINT = "fingerprint of data and split `"
"""What a page's fingerprint stands after"""


def data_section(board: Board) -> str:
    """What was read and how, by the newest run that says so, and which part validation is."""
    about = board.dataset
    profiled = [record for record in board.records if record.dataset.profile]
    newest = max(profiled, key=lambda record: record.date, default=None)
    lines = [
        f"{about.users:,} users; {about.items:,} items in the catalog; "
        f"{about.train_valid_interactions:,} training interactions, the validation part among them; "
        f"{about.test_queries:,} test queries with {about.test_items:,} relevant items"
    ]
    lines += newest.dataset.profile.lines() if newest and newest.dataset.profile else []
    lines += [f"validation: {validation.describe(about.protocol, about.carve)}", *about.notes]
    return f"## Data\n\n{_listed(lines)}"


def provenance_section(board: Board) -> str:
    """Which data, machines and dates the numbers are of."""
    dates = sorted(record.date for record in board.records)
    split = [f"split seed {board.split_seed}"] if board.split_seed else []
    machines = [f"runs on {each}" for each in board.machines]
    return "## Provenance\n\n" + _listed(
        [
            f"{FINGERPRINT}{board.fingerprint}`",
            *split,
            *machines,
            f"runs from {dates[0]} to {dates[-1]}",
        ]
    )


def spread_section(family: Sequence[Board]) -> str:
    """Mean ± sd of each model with the same settings over boards that differ in the split seed alone."""
    together: dict[tuple[str, str], list[Row]] = {}
    for board in family:
        # Of one's own row and a shipped one with its settings, one's own counts: they are of one split.
        ranked = sorted((row for row in board.rows if row.done), key=lambda row: not row.shipped)
        for key, row in {(row.model, written(row.settings)): row for row in ranked}.items():
            together.setdefault(key, []).append(row)
    named = labels([rows[0] for rows in together.values()])
    columns = [main_table.metric_column(name, family[0].k) for name in main_table.SHOWN]
    header = ["model", "split seeds", *columns]
    body = [
        [label, str(len(rows)), *(_over_splits(rows, name) for name in main_table.SHOWN)]
        for label, rows in zip(named, together.values(), strict=True)
        if len(rows) > 1
    ]
    table = markdown.table(body, header, numbers=range(1, len(header)))
    return f"## Spread over split seeds\n\nMean ± standard deviation over splits.\n\n{table}\n"


def _over_splits(rows: Sequence[Row], name: str) -> str:
    values = [row.mean(name) for row in rows]
    return f"{mean(values):.4f} ± {stdev(values):.4f}"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) + "\n"
