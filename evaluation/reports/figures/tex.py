"""A board as a LaTeX table with the rules of the package booktabs, which is all that a document needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retrieval_leaderboard.evaluation.reports.costs import FORMS
from retrieval_leaderboard.evaluation.reports.figures.data import BoardData, RowData, best
from retrieval_leaderboard.evaluation.reports.main_table import CHANGE
from retrieval_leaderboard.evaluation.statistics.standing import Interval

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "–": "--", "±": r"\(\pm\)", "Δ": r"\(\Delta\)", "−": r"\(-\)", "@": "@", "‡": r"\textdaggerdbl{}",
    "†": r"\textdagger{}", "§": r"\S{}", "→": r"\(\to\)", "·": r"\textperiodcentered{}",
}  # fmt: skip
NONE = "--"
NAMED = {field: (title, form) for title, (field, form) in FORMS.items() if field.endswith("_seconds")}
"""Field of `Costs` that has a column → its title, and how it is written"""


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands, whatever it holds; what cannot be printed as spaces."""
    return "".join(SPECIAL.get(each, each if each.isprintable() else " ") for each in text)


def table(board: BoardData) -> str:
    """The official rows: rank, metrics, the difference to the reference, and costs."""
    rows = board.official
    ranked = any(row.rank for row in rows)
    costs = [name for name in NAMED if any(name in row.costs for row in rows)]
    others = [name for name in board.metrics if name != "ndcg"]
    head = [*(["Rank"] if ranked else []), "Model", escaped(board.metrics["ndcg"])]
    head += [*([escaped(CHANGE)] if any(row.lead for row in rows) else [])]
    head += [*(escaped(board.metrics[name]) for name in others), *(NAMED[name][0] for name in costs)]
    kinds = ("r" if ranked else "") + "l" + "r" * (len(head) - 1 - ranked)
    body = [
        [
            *([escaped(row.rank) or NONE] if ranked else []),
            escaped(row.name),
            *_figures(board, row, others, costs),
        ]
        for row in rows
    ]
    lines = [
        "% Needs \\usepackage{booktabs}.",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_caption(board)}}}",
        f"\\begin{{tabular}}{{{kinds}}}",
        "\\toprule",
        _line(head),
        "\\midrule",
        *map(_line, body),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _figures(board: BoardData, row: RowData, others: Sequence[str], costs: Sequence[str]) -> Iterator[str]:
    yield _bold(board, row, "ndcg") + _range(row.metrics["ndcg"])
    if any(each.lead for each in board.official):
        yield NONE if row.lead is None else f"\\({row.lead.mean:+.4f}\\)"
    for name in others:
        yield _bold(board, row, name) if name in row.metrics else NONE
    for name in costs:
        yield NAMED[name][1].format(row.costs[name]) if name in row.costs else NONE


def _bold(board: BoardData, row: RowData, name: str) -> str:
    mean = row.metrics[name].mean
    return f"\\textbf{{{mean:.4f}}}" if mean == best(board.official, name) else f"{mean:.4f}"


def _range(value: Interval) -> str:
    return f" {{\\scriptsize [{value.low:z.4f}, {value.high:z.4f}]}}" if value.low < value.high else ""


def _caption(board: BoardData) -> str:
    said = [f"{board.title}."]
    said += [f"In brackets: {board.bars}."] if board.bars else []
    said += [f"Costs: {board.machine}."] if any(row.costs for row in board.official) else []
    return escaped(" ".join(said))
