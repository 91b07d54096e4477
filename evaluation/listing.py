"""What `--list` prints."""

from __future__ import annotations

from collections.abc import Iterable

from tabulate import tabulate

from datasets.catalog import Listed
from evaluation import registry, settings


def text(datasets: Iterable[Listed]) -> str:
    """Datasets and where they are, then every registered model with its settings."""
    lines = [(each.name, each.status, ", ".join(each.protocols), each.folder) for each in datasets]
    parts = [tabulate(lines, ["dataset", "status", "protocols", "folder"], tablefmt="simple")]
    for name in registry.names():
        model = registry.get(name)
        parts.append(f"\n{name}: {_summary(model.__doc__)}")
        notes = settings.documentation(model)
        rows = [(f"  {key}", value, notes[key]) for key, value in settings.defaults(model).items()]
        parts.append(tabulate(rows, tablefmt="plain", disable_numparse=True))
    return "\n".join(parts)


def _summary(docstring: str | None) -> str:
    """The first paragraph, in one line."""
    return " ".join((docstring or "").split("\n\n")[0].split())
