"""How the settings of each row came about, what differs from the defaults, and the command that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.main_table import failure
from retrieval_leaderboard.evaluation.reports.pages import command
from retrieval_leaderboard.evaluation.reports.report import Entry, Report, anchor

EMPTY = "''"
"""As a shell takes it"""
ANEW = "# a new search, whose trials depend on the machine, then the fits"


def section(report: Report) -> str:
    """A part a row, each with the anchor that the tables link to."""
    return "\n".join(["## Settings\n", *map(_of_row, report.entries)])


def _of_row(entry: Entry) -> str:
    row = entry.row
    parts = [
        f'<a id="{entry.anchor}"></a>\n\n### {entry.name}\n',
        f"{row.provenance.summary()} · {seeds(row)}  ",
    ]
    same = [f"the settings of [{entry.repeats}](#{anchor(entry.repeats)})"] if entry.repeats else []
    parts.append(f"{_plugin(row)}{'; '.join([differing(row), *same])}\n")
    if row.failed:
        parts.append(f"Failed: {failure(row)}.\n")
    if missing := command.to_put_in(row):
        parts.append(f"{missing}\n")
    searched, words = command.search(row), command.command(row)
    if searched:
        both = f"{ANEW}\n{command.lines(searched)}\n# the fits alone\n{command.lines(words)}"
        parts.append(f"```sh\n{both}\n```\n")
    elif words:
        parts.append(f"```sh\n{command.lines(words)}\n```\n")
    if row.shown_settings:
        every = _written(row.shown_settings)
        parts.append(f"<details><summary>Every setting</summary>\n\n{every}\n\n</details>\n")
    return "\n".join(parts)


def _plugin(row: Row) -> str:
    """Where a model is that the suite has not; "" for one of the suite, and for lists from elsewhere."""
    if not row.newest.code:
        return ""
    path, _, name = command.plugin(row).rpartition(":")
    where = f"the class `{name}` of `{path}`" if path else "a class of a file that its runs do not name"
    return f"A plug-in, not in `--list`: {where}.  \n"


def seeds(row: Row) -> str:
    """As "seed 0", or "seeds 0, 1, 2"."""
    found = sorted(record.seed for record in row.done + row.failed)
    return f"seed{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def differing(row: Row) -> str:
    """The settings that are not the model's defaults, those that change nothing on the data apart."""
    changed = {key: row.shown_settings[key] for key in command.changed(row)}
    used = {key: value for key, value in changed.items() if key not in row.without_effect}
    idle = {key: value for key, value in changed.items() if key in row.without_effect}
    known = bool(command.defaults(row.model))
    text = (("Not as by default: " if known else "") + _written(used)) if used else "All as by default"
    return text + (f"; without effect here: {_written(idle)}" if idle else "")


def _written(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}={EMPTY if value == '' else value}`" for key, value in settings.items())
