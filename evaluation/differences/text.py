"""Changes of results as text of 80 columns, or as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import groupby

from retrieval_leaderboard.evaluation.differences.changes import COMPARED, Change
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.main_table import NONE, SHOWN
from retrieval_leaderboard.support import markdown

WIDTH = 80
SAME_COST = 0.1
"""Share by which seconds differ from which on they are shown"""


def terminal(changes: Iterable[Change]) -> str:
    """By board: rows with another metric in full, the others in a line."""
    parts = []
    for heading, group in groupby(changes, key=lambda each: _heading(each.either.board)):
        rows = list(group)
        lines = [line for each in rows for line in _lines(each)]
        same = sum(not each.in_metrics for each in rows)
        lines += [f"  {same} row{'' if same == 1 else 's'} with the same metrics"] if same else []
        parts.append("\n".join([*textwrap.wrap(heading, WIDTH), *lines]))
    return "\n\n".join(parts)


def as_markdown(changes: Iterable[Change]) -> str:
    """A table a board, with every row."""
    parts = []
    for heading, group in groupby(changes, key=lambda each: _heading(each.either.board)):
        rows = list(group)
        k = rows[0].either.board.k
        header = ["row", *(f"{SHOWN[name]}@{k}" for name in COMPARED), "fit s", "rank s", "what changed"]
        body = [
            [
                each.either.label,
                *(_metric(each, name) for name in COMPARED),
                *(_seconds(each, name) for name in ("fit", "rank")),
                "; ".join(_what(each)) or NONE,
            ]
            for each in rows
        ]
        parts.append(f"## {heading}\n\n{markdown.table(body, header)}")
    return "\n\n".join(parts)


def _heading(board: Board) -> str:
    return board.heading + (f", split seed {board.split_seed}" if board.split_seed else "")


def _lines(change: Change) -> list[str]:
    what, k = _what(change), change.either.board.k
    if not change.in_metrics and not what:
        return []
    if change.pair is None:
        metrics = ", ".join(f"{SHOWN[name]}@{k} {_metric(change, name)}" for name in COMPARED)
        return _wrapped(f"{change.either.label}: {what[0]}, {metrics}", "  ")
    lines = _wrapped(f"{change.either.label}: {'; '.join(what)}" if what else change.either.label, "  ")
    if change.in_metrics:
        lines += [f"    {SHOWN[name]}@{k}".ljust(18) + _metric(change, name) for name in COMPARED]
    costs = [
        f"{name} {before:,.1f} → {after:,.1f} s"
        for name, (before, after) in change.costs.items()
        if abs(after - before) > SAME_COST * max(before, after)
    ]
    return lines + _wrapped(", ".join(costs), "    ")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _what(change: Change) -> list[str]:
    """What happened to the row, beside its metrics and costs."""
    if change.before is None:
        return ["new"]
    if change.after is None:
        return ["gone"]
    changed = [f"{key} {before} → {after}" for key, (before, after) in change.settings.items()]
    what = [f"settings changed: {', '.join(changed)}"] if changed else []
    if change.has_other_data:
        before, after = change.before.board.fingerprint, change.after.board.fingerprint
        what.append(f"other data: fingerprint {before} → {after}")
    seeds = [len(side.row.done) for side in (change.before, change.after)]
    if seeds[0] != seeds[1]:
        what.append(f"seeds {seeds[0]} → {seeds[1]}")
    if others := [name for name in change.metrics if name not in COMPARED]:
        what.append(f"also apart: {', '.join(others)}")
    return what


def _metric(change: Change, name: str) -> str:
    """Before and after, and the difference with its interval."""
    if change.pair is None:
        return _number(change.either.row, name)
    before, after = (_number(row, name) for row in change.pair)
    if NONE in (before, after):
        return f"{before} → {after}"
    delta = change.pair[1].mean(name) - change.pair[0].mean(name)
    if before == after:
        return f"{after}{', apart beyond these digits' if name in change.metrics else ''}"
    found = change.difference(name)
    interval = f" [{found.low:+.4f}, {found.high:+.4f}]" if found else ""
    return f"{before} → {after}  {delta:+.4f}{interval}"


def _number(row: Row, name: str) -> str:
    return f"{row.mean(name):.4f}" if row.values(name) else NONE


def _seconds(change: Change, name: str) -> str:
    if name not in change.costs:
        return NONE
    before, after = change.costs[name]
    return f"{before:,.1f} → {after:,.1f}"
