"""What `--list` prints: datasets and models on one screen, or one of them in full."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate

from retrieval_leaderboard.datasets.sources.listing import Listed
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import unknown

DATASETS = "datasets"
GAP = 2


def text(
    name: str,
    datasets: Sequence[Listed],
    models: Sequence[type[Retriever]],
    by_default: Sequence[str],
    packages: Mapping[str, str],
) -> str:
    """What there is, as wide as the terminal.

    Args:
        name: "" for everything in brief, "datasets" for those in full, or a dataset or model.
        datasets: all of them.
        models: all of them.
        by_default: names of the models that run where none is named.
        packages: name of a model that an installed package declares → that package.

    Raises:
        InputError: nothing has that name; the nearest one is named.
    """
    if not name:
        return "\n".join(
            [_brief_datasets(datasets), "", _brief_models(models, by_default, packages), "", _more()]
        )
    by_name = {model.name: model for model in models}
    model, dot, key = name.partition(".")
    if model in by_name:
        return _setting(by_name[model], key) if dot else _model(by_name[model], packages)
    found = [each for each in datasets if name in (DATASETS, each.source.name)]
    if not found:
        raise unknown(
            "name after --list", name, [DATASETS, *(each.source.name for each in datasets), *by_name]
        )
    return "\n\n".join(map(_dataset, found))


def _width() -> int:
    return shutil.get_terminal_size().columns


def _room(names: Iterable[str]) -> int:
    """Characters beside a column of `names`."""
    return max(20, _width() - max(map(len, names), default=0) - 2 * GAP)


def _brief_datasets(datasets: Sequence[Listed]) -> str:
    lines = [(each.source.name, each.status, each.source.protocols[0]) for each in datasets]
    return tabulate(lines, ["dataset", "status", "protocol by default"], tablefmt="simple")


def _brief_models(
    models: Sequence[type[Retriever]], by_default: Sequence[str], packages: Mapping[str, str]
) -> str:
    names = {model.name: model.name + " *" * (model.name in by_default) for model in models}
    room = _room(names.values())
    lines = [
        (names[model.name], textwrap.shorten(_about(model, packages), room, placeholder=" …"))
        for model in models
    ]
    return tabulate(lines, ["model", "what it is"], tablefmt="simple")


def _more() -> str:
    return (
        "* runs where no model is named; the suite's others by --models all or by name.\n"
        "--list MODEL shows its settings, --list datasets where files belong."
    )


def _dataset(listed: Listed) -> str:
    source = listed.source
    missing = source.download if listed.status in ("manual download", "incomplete") else None
    about = {
        "status": listed.status,
        "protocols": ", ".join(source.protocols),
        "published": source.published,
        "license": source.license,
        "folder": str(listed.folder),
        "to do": missing.manual if missing else "",
    }
    return f"{source.name}\n{_table({key: what for key, what in about.items() if what})}"


def _model(model: type[Retriever], packages: Mapping[str, str]) -> str:
    """Its summary, then each setting with its default and what it is, in a line."""
    notes = settings.documentation(model)
    entries = {f"{key}={value}": notes[key] for key, value in settings.of_fields(model).items()}
    room = _room(entries)
    brief = {key: textwrap.shorten(_sentence(note), room, placeholder=" …") for key, note in entries.items()}
    head = textwrap.fill(f"{model.name}: {_about(model, packages)}", _width())
    if not entries:
        return f"{head}\n\nIt has no settings."
    name = model.name
    how = f"Settings, for --set {name}.NAME=VALUE, with their defaults; --list {name}.NAME tells more"
    return f"{head}\n\n{textwrap.fill(how, _width())}:\n\n{_table(brief)}"


def _setting(model: type[Retriever], key: str) -> str:
    """A setting with its default and all that its docstring says."""
    known = settings.of_fields(model)
    if key not in known:
        raise unknown(f"setting of {model.name}", key, known)
    return _table({f"{key}={known[key]}": settings.documentation(model)[key]})


def _sentence(note: str) -> str:
    """The first one, without its full stop."""
    return re.split(r"[.;:] ", note, maxsplit=1)[0].rstrip(".")


def _table(entries: dict[str, str]) -> str:
    """Two columns, the second wrapped within the terminal."""
    first, room = max(map(len, entries)), _room(entries)
    lines = []
    for name, what in entries.items():
        wrapped = textwrap.wrap(what, room, break_on_hyphens=False, break_long_words=False) or [""]
        for part, shown in zip([name, *[""] * (len(wrapped) - 1)], wrapped, strict=True):
            lines.append(f"  {part:<{first}}  {shown}".rstrip())
    return "\n".join(lines)


def _about(model: type[Retriever], packages: Mapping[str, str]) -> str:
    """Its package, where an installed one declares it, and its summary."""
    package = packages.get(model.name)
    return f"(of {package}) {_summary(model)}" if package else _summary(model)


def _summary(model: type[Retriever]) -> str:
    """The first paragraph of its docstring, in one line."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())
