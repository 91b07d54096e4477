"""What to call the rows of a table: the model, and where it has several rows, in what they differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from retrieval_leaderboard.evaluation.reports import propagation, unweighted
from retrieval_leaderboard.evaluation.reports.board import Row

FEW = 3
"""Differing settings that a label has room for"""
Settings = dict[str, Any]


def labels(rows: Sequence[Row]) -> list[str]:
    """A label for each row: the model, with the settings in which its rows differ, the mark of propagation
    over a graph, that of weights that are not used, and whether it is shipped.

    Where those are more than FEW, with as few of them as `distinguishing` names, and the number of the
    others: `differences` has all.
    """
    keys = _differing(rows)
    shown = {
        model: differ if len(differ) <= FEW else distinguishing(_choices(model, rows))
        for model, differ in keys.items()
    }
    return [_label(row, shown[row.model], len(keys[row.model])) for row in rows]


def differences(rows: Sequence[Row]) -> dict[str, str]:
    """Label → every setting in which the rows of its model differ, for the labels that leave some out."""
    keys = _differing(rows)
    named = zip(labels(rows), rows, strict=True)
    return {label: _written(row, keys[row.model]) for label, row in named if len(keys[row.model]) > FEW}


def differing(choices: list[Settings]) -> tuple[str, ...]:
    """The settings that are not the same in all of `choices`: kinds and counts before fractions."""
    keys = [key for key in _all_keys(choices) if _different(choices, (key,)) > 1]
    return tuple(sorted(keys, key=lambda key: isinstance(choices[0].get(key), float)))


def distinguishing(choices: list[Settings]) -> tuple[str, ...]:
    """The fewest settings by which any two different ones of `choices` differ.

    Where others would do as well: those that `differing` has first.
    """
    keys = differing(choices)
    wanted = _different(choices, keys)
    return next(
        some
        for size in range(wanted)
        for some in combinations(keys, size)
        if _different(choices, some) == wanted
    )


def _all_keys(choices: list[Settings]) -> dict[str, None]:
    return dict.fromkeys(key for settings in choices for key in settings)


def _different(choices: list[Settings], keys: tuple[str, ...]) -> int:
    return len({tuple(repr(settings.get(key)) for key in keys) for settings in choices})


def _differing(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    models = dict.fromkeys(row.model for row in rows)
    return {model: differing(_choices(model, rows)) for model in models}


def _choices(model: str, rows: Sequence[Row]) -> list[Settings]:
    return [row.shown_settings for row in rows if row.model == model]


def _label(row: Row, keys: tuple[str, ...], differ: int) -> str:
    more = f"+{differ - len(keys)}" if differ > len(keys) else ""
    shown = ", ".join(filter(None, (_written(row, keys), more)))
    return (
        row.model
        + (f" ({shown})" if shown else "")
        + propagation.marked(row)
        + unweighted.marked(row)
        + (", shipped" if row.shipped else "")
    )


def _written(row: Row, keys: tuple[str, ...]) -> str:
    shown = row.shown_settings
    return written({key: shown[key] for key in keys if key in shown})


def written(settings: Settings) -> str:
    """`settings` in one line: key=value, key=value."""
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def settings_line(row: Row) -> str:
    """The settings of `row` in one line, those that change nothing on the data apart."""
    idle = (
        set.intersection(*(set(record.measured.without_effect) for record in row.done)) if row.done else set()
    )
    used = written({key: value for key, value in row.shown_settings.items() if key not in idle})
    apart = written({key: value for key, value in row.shown_settings.items() if key in idle})
    return used + (f"; without effect here: {apart}" if apart else "")
