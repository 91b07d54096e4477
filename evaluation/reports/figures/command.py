"""The command that makes a row of a board again."""

from __future__ import annotations

import shlex
from dataclasses import fields

from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.reports.board import COMPUTED, Board, Row


def command(row: Row, board: Board) -> str:
    """One line for a shell: the data, the policy, the model, and its budget or settings other than defaults."""
    about = board.dataset
    words = ["python", "run_all.py", "--dataset", about.name, "--protocol", about.protocol]
    words += ["--exclude-seen" if about.exclude_seen else "--keep-seen"]
    if "scale" in about.source:
        words += ["--scale", f"{about.source['scale']:g}"]
    if about.split_seed:
        words += ["--split-seed", str(about.split_seed)]
    words += ["--k", str(board.k)]
    registered = row.model in registry.names()
    words += ["--models", row.model] if registered else ["--model", f"FILE.py:{row.model}"]
    if (seeds := len(row.done)) > 1:
        words += ["--seeds", str(seeds)]
    return shlex.join([*words, *_settings(row, registered)])


def _settings(row: Row, registered: bool) -> list[str]:
    """The search that found them, where it had a budget; or else each of them."""
    made = row.provenance
    if made.by == "budget" and made.cap_minutes:
        return ["--budget", f"{made.cap_minutes:g}m"]
    changed = _changed(row, registered).items()
    return [word for key, value in changed for word in ("--set", f"{row.model}.{key}={value}")]


def _changed(row: Row, registered: bool) -> dict[str, object]:
    asked = {key: value for key, value in row.settings.items() if key not in COMPUTED}
    if not registered:
        return asked
    default = {each.name: each.default for each in fields(registry.get(row.model))}
    return {key: value for key, value in asked.items() if default.get(key) != value}
