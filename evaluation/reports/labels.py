"""What to call the rows of a table: the model, and where it has several rows, in what they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from retrieval_leaderboard.evaluation.reports import propagation, unweighted
from retrieval_leaderboard.evaluation.reports.board import Row

FEW = 3
"""Differing settings that a label has room for"""
SHORT = 20
"""Characters of a setting that a name has room for"""
ALWAYS = ("solver", "warm_start")
"""Settings that say what else made a row than the code here: shown wherever a row has them"""
Settings = dict[str, Any]


def labels(rows: Sequence[Row]) -> list[str]:
    """A label for each row: the model, with the settings in which its rows differ, the mark of propagation
    over a graph, that of weights that are not used, and whether it is shipped.

    Where those are more than FEW, with as few of them as `distinguishing` names, and how many others.
    """
    keys = _differing(rows)
    shown = {
        model: differ if len(differ) <= FEW else distinguishing(_choices(model, rows))
        for model, differ in keys.items()
    }
    return [_label(row, shown[row.model], keys[row.model]) for row in rows]


def names(rows: Sequence[Row]) -> list[str]:
    """A short name for each row of a page: the model, where it has several rows with how its settings came
    about or the one setting in which they differ, else with a number; then the marks of `labels`.

    The one official row of a model goes by the model alone.
    """
    short = _all_short(rows)
    times, seen = Counter(short), Counter[tuple[str, bool]]()
    found = []
    for row, name in zip(rows, short, strict=True):
        seen[name] += 1
        found.append(name[0] + (f" {seen[name]}" if times[name] > 1 else "") + _marks(row))
    return found


def legend(rows: Sequence[Row]) -> dict[str, str]:
    """The rows whose `names` a number alone tells apart: name → the settings that do."""
    named, short = names(rows), _all_short(rows)
    found: dict[str, str] = {}
    for alike, times in Counter(short).items():
        places = [at for at, name in enumerate(short) if name == alike]
        told = [row for at, row in enumerate(rows) if at in places or _is_official(row, rows[places[0]])]
        keys = distinguishing([row.plain_settings for row in told]) if times > 1 else ()
        found |= {named[at]: _written(rows[at], keys) for at in places if keys}
    return found


def _is_official(row: Row, beside: Row) -> bool:
    """Whether it is an official row of the model of another, and so goes by a name like its."""
    return row.model == beside.model and row.provenance.official


def _all_short(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    return [(_short(row, rows), row.shipped) for row in rows]


def _short(row: Row, rows: Sequence[Row]) -> str:
    if always := _always(row):
        return f"{row.model} ({_written(row, always)})"
    alike = [each for each in rows if (each.model, each.shipped) == (row.model, row.shipped)]
    made = row.provenance
    taken = sum(each.provenance.official for each in alike) == 1
    if len(alike) == 1 or (made.official and taken):
        return row.model
    same = [each for each in alike if each.provenance.way == made.way]
    by_way = f"{row.model} ({made.way})"
    if len(same) == 1:
        return by_way
    if key := _telling(same):
        return f"{row.model} ({_written(row, key)})"
    return by_way if taken else row.model


def _telling(rows: Sequence[Row]) -> tuple[str, ...]:
    """The setting that alone tells rows apart, each in few characters; () for none."""
    choices = [each.plain_settings for each in rows]
    texts, keys = _texts(choices), differing(choices)
    wanted = _different(texts, list(keys))
    alone = ((key,) for key in keys if _different(texts, [key]) == wanted)
    return next((key for key in alone if all(len(_written(each, key)) <= SHORT for each in rows)), ())


def differing(choices: list[Settings]) -> tuple[str, ...]:
    """The settings that are not the same in all of `choices`: kinds and counts before fractions."""
    texts = _texts(choices)
    keys = [key for key in texts if _different(texts, [key]) > 1]
    return tuple(sorted(keys, key=lambda key: isinstance(choices[0].get(key), float)))


def distinguishing(choices: list[Settings]) -> tuple[str, ...]:
    """A few settings by which any two different ones of `choices` differ, found greedily.

    Next comes the setting that tells most of them apart; of equals the one that `differing` has first.
    """
    texts, keys = _texts(choices), list(differing(choices))
    wanted = _different(texts, keys)
    found: list[str] = []
    while _different(texts, found) < wanted:
        found.append(max(keys, key=lambda key: _different(texts, [*found, key])))
    return tuple(key for key in keys if key in found)


def _texts(choices: list[Settings]) -> dict[str, list[str]]:
    """Setting → its value in each of `choices` as text, which can be compared whatever it is."""
    keys = dict.fromkeys(key for settings in choices for key in settings)
    return {key: [repr(settings.get(key)) for settings in choices] for key in keys}


def _different(texts: dict[str, list[str]], keys: list[str]) -> int:
    """How many choices `keys` tell apart; 1 by none."""
    return len(set(zip(*(texts[key] for key in keys), strict=True))) if keys else 1


def _differing(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    models = dict.fromkeys(row.model for row in rows)
    return {model: differing(_choices(model, rows)) for model in models}


def _choices(model: str, rows: Sequence[Row]) -> list[Settings]:
    """Resolved, unless a row failed before its settings were."""
    ours = [row for row in rows if row.model == model]
    resolved = all(row.done for row in ours)
    return [row.plain_settings if resolved else row.settings for row in ours]


def _always(row: Row) -> tuple[str, ...]:
    return tuple(key for key in ALWAYS if key in row.shown_settings)


def _label(row: Row, keys: tuple[str, ...], differing: tuple[str, ...]) -> str:
    keys = tuple(dict.fromkeys((*keys, *_always(row))))
    hidden = len(set(differing).difference(keys))
    more = f"+{hidden}" if hidden else ""
    shown = ", ".join(filter(None, (_written(row, keys), more)))
    return row.model + (f" ({shown})" if shown else "") + _marks(row)


def _marks(row: Row) -> str:
    return propagation.marked(row) + unweighted.marked(row) + (", shipped" if row.shipped else "")


def _written(row: Row, keys: tuple[str, ...]) -> str:
    shown = row.shown_settings
    return written({key: shown[key] for key in keys if key in shown})


def written(settings: Settings) -> str:
    """`settings` in one line: key=value, key=value."""
    return ", ".join(f"{key}={value}" for key, value in settings.items())
