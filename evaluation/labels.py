"""What to call the rows of a table: the model, and where it has several rows, what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from evaluation.board import Row

Settings = dict[str, Any]


def labels(rows: Sequence[Row]) -> list[str]:
    """A label for each row: the model, with the settings that `telling` names, and whether it is shipped."""
    models = {row.model for row in rows}
    keys = {model: telling([row.settings for row in rows if row.model == model]) for model in models}
    return [
        row.model + _bracketed(row.settings, keys[row.model]) + (", shipped" if row.shipped else "")
        for row in rows
    ]


def telling(choices: list[Settings]) -> tuple[str, ...]:
    """The fewest settings by which any two different ones of `choices` differ.

    Where others would do as well: kinds and counts before fractions, then those that come first.
    """
    differing = [key for key in _all_keys(choices) if _different(choices, (key,)) > 1]
    keys = sorted(differing, key=lambda key: isinstance(choices[0].get(key), float))
    wanted = _different(choices, tuple(keys))
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


def _bracketed(settings: Settings, keys: tuple[str, ...]) -> str:
    told = written({key: settings[key] for key in keys if key in settings})
    return f" ({told})" if told else ""


def written(settings: Settings) -> str:
    """`settings` in one line: key=value, key=value."""
    return ", ".join(f"{key}={value}" for key, value in settings.items())
