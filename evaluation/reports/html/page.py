"""The page of a board: its table, charts, settings and commands in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.reports.figures import charts, detail_charts, vega
from retrieval_leaderboard.evaluation.reports.figures.data import BoardData, RowData
from retrieval_leaderboard.evaluation.reports.html import table
from retrieval_leaderboard.evaluation.reports.html.policy import policy
from retrieval_leaderboard.support.errors import need
from retrieval_leaderboard.support.storage.files import contents

PACKAGES = ("jinja2", *vega.PACKAGES)
HERE = Path(__file__).parent
SHAPES = {
    "square": "M-4,-4H4V4H-4Z",
    "diamond": "M0,-5L5,0L0,5L-5,0Z",
    "circle": "M-4.5,0A4.5,4.5,0,1,1,4.5,0A4.5,4.5,0,1,1,-4.5,0Z",
    "triangle-up": "M0,-4.5L5,4H-5Z",
}
"""Symbol of Vega → a path of its form"""
SIZES = {0: charts.NARROW, 720: charts.MEDIUM, 1060: charts.WIDE}
"""Width of a window in pixels → the size of charts from there on"""
HEADINGS = {
    "official": "Official: defaults, or one budget for all models",
    "explored": "Explored further: settings found in another way, each with what was done",
}
FIGURES = (
    ("cost", "Quality and cost", charts.quality_cost,
     "Upper left is better. Filled: official rows; hollow: explored further. Shapes: popularity □, "
     "item-based ◇, vectors ○, others △."),
    ("intervals", "How sure", charts.intervals,
     "Rows far below the best are left out. The dashed line is the row that others are compared with, where "
     "there is one."),
    ("curves", "NDCG by length of the lists", detail_charts.curves,
     "A color a model; dashes tell its rows apart."),
    ("slices", "Parts of the queries", detail_charts.slices,
     "Cold and warm, by length of history, and by popularity of the relevant items. Empty where a model "
     "cannot answer."),
    ("significance", "What is more than noise", detail_charts.significance,
     "Paired tests of NDCG on the same queries, two-sided, with Holm's correction; noise from p = .05."),
    ("validation", "Validation during training", detail_charts.validation,
     "Of the first seed, in the fit that chose the number of epochs."),
    ("loss", "Training loss", detail_charts.losses,
     "Of the first seed. Losses of different models do not compare."),
)  # fmt: skip
"""Id, title, chart and caption"""


@dataclass(frozen=True)
class _Line:
    """A row of the table, as the template has it."""

    about: RowData
    cells: list[table.Cell]
    anchor: str

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def text(self) -> str:
        """What the filter looks in."""
        return f"{self.about.name} {self.about.detail} {self.about.made}"


def page(
    board: BoardData, notes: Sequence[str] = (), siblings: Mapping[str, str] | None = None, rebuild: str = ""
) -> str:
    """The whole file.

    Args:
        board: what it shows.
        notes: lines of its last section.
        siblings: name of a file beside it → title of its board.
        rebuild: the command that makes it.

    Raises:
        InputError: the packages that draw it are not installed.
    """
    need(PACKAGES, vega.LOCK)
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE)
    template = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("template.html")
    columns, drawn = table.columns(board), _charts(board)
    lines = [
        _Line(row, [column.cell(row) for column in columns], f"row-{number}")
        for number, row in enumerate(board.rows, start=1)
    ]
    style, script = _part("style.css"), _part("page.js")
    return template.render(
        board=board,
        verdict=board.verdict.split("**"),
        notes=notes,
        siblings=siblings or {},
        rebuild=rebuild,
        columns=columns,
        named=[column.kind for column in columns].index("name"),
        groups=_groups(lines),
        headings=HEADINGS,
        captions=_captions(board),
        failed=[row for row in board.rows if not row.metrics],
        details=lines,
        figures=[
            {"id": key, "title": title, "caption": caption}
            for key, title, _, caption in FIGURES
            if key in drawn
        ],
        shapes=SHAPES,
        charts=_json(drawn),
        style=style,
        library=vega.script(),
        script=script,
        policy=policy([vega.script(), script], style),
    )


def _part(name: str) -> str:
    return contents(HERE / name).decode()


def _charts(board: BoardData) -> dict[str, dict[int, Any]]:
    """Id of a figure → width of a window → its specification from there on."""
    found = {
        key: {width: drawn for width, size in SIZES.items() if (drawn := chart(board, board.done, size))}
        for key, _, chart, _ in FIGURES
    }
    return {key: drawn for key, drawn in found.items() if drawn}


def _groups(lines: Sequence[_Line]) -> dict[str, list[_Line]]:
    """The rows with results, the official ones apart; a kind without any is left out."""
    done = [line for line in lines if line.about.metrics]
    found = {
        "official": [line for line in done if line.about.official],
        "explored": [line for line in done if not line.about.official],
    }
    return {name: rows for name, rows in found.items() if rows}


def _captions(board: BoardData) -> list[str]:
    found = [f"Under NDCG: {board.bars}."] if board.bars else []
    found += [f"Costs: {board.machine}."] if board.machine else []
    found += [board.without_seconds] if board.without_seconds else []
    return [*found, "A model's name leads to its settings and its command."]


def _json(value: object) -> str:
    """JSON that no name in it can end: it has no < > or &, and no line ends of JavaScript."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
