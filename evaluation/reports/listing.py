"""What `--list` prints: datasets and models on one screen, or one of them in full."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from tabulate import tabulate

from retrieval_leaderboard.datasets.sources.listing import Listed
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import unknown

DATASETS = "datasets"
GAP = 2


def text(name: str, datasets: Sequence[Listed], models: Sequence[type[Retriever]]) -> str:
    """What there is, as wide as the terminal.

    Args:
        name: "" for everything in brief, "datasets" for those in full, or a dataset or model.
        datasets: all of them.
        models: all of them.

    Raises:
        InputError: nothing has that name; the nearest one is named.
    """
    if not name:
        return "\n".join([_brief_datasets(datasets), "", _brief_models(models), "", _more()])
    by_name = {model.name: model for model in models}
    if name in by_name:
        return _model(by_name[name])
    found = [each for each in datasets if name in (DATASETS, each.name)]
    if not found:
        raise unknown("name after --list", name, [DATASETS, *(each.name for each in datasets), *by_name])
    return "\n\n".join(map(_dataset, found))


def _width() -> int:
    return shutil.get_terminal_size().columns


def _brief_datasets(datasets: Sequence[Listed]) -> str:
    lines = [(each.name, each.status, each.protocols[0]) for each in datasets]
    return tabulate(lines, ["dataset", "status", "protocol by default"], tablefmt="simple")


def _brief_models(models: Sequence[type[Retriever]]) -> str:
    room = _width() - max(len(model.name) for model in models) - GAP
    lines = [(model.name, textwrap.shorten(_summary(model), room, placeholder=" …")) for model in models]
    return tabulate(lines, ["model", "what it is"], tablefmt="simple")


def _more() -> str:
    return "--list MODEL shows its settings, --list datasets where files belong."


def _dataset(listed: Listed) -> str:
    about = {"status": listed.status, "protocols": ", ".join(listed.protocols), "folder": str(listed.folder)}
    return f"{listed.name}\n{_table(about)}"


def _model(model: type[Retriever]) -> str:
    """Its summary, then each setting with its default and what it is."""
    notes = settings.documentation(model)
    entries = {f"{key}={value}": notes[key] for key, value in settings.defaults(model).items()}
    head = textwrap.fill(f"{model.name}: {_summary(model)}", _width())
    return f"{head}\n\nSettings, for --set {model.name}.NAME=VALUE, with their defaults:\n\n{_table(entries)}"


def _table(entries: dict[str, str]) -> str:
    """Two columns, the second wrapped within the terminal."""
    first = max(map(len, entries))
    room = max(20, _width() - first - 2 * GAP)
    lines = []
    for name, what in entries.items():
        wrapped = textwrap.wrap(what, room, break_on_hyphens=False, break_long_words=False) or [""]
        for part, shown in zip([name, *[""] * (len(wrapped) - 1)], wrapped, strict=True):
            lines.append(f"  {part:<{first}}  {shown}".rstrip())
    return "\n".join(lines)


def _summary(model: type[Retriever]) -> str:
    """The first paragraph of its docstring, in one line."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())
