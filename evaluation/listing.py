"""What `--list` prints."""

from __future__ import annotations

from collections.abc import Iterable

from tabulate import tabulate

from evaluation import registry, settings


def text(datasets: Iterable[tuple[str, str, str]]) -> str:
    """Datasets (name, status, protocols), then every registered model with its settings."""
    parts = ["Datasets", tabulate(datasets, ["name", "status", "protocols"], tablefmt="simple"), "", "Models"]
    for name in registry.names():
        model = registry.get(name)
        parts.append(f"\n{name}: {(model.__doc__ or '').strip().splitlines()[0]}")
        notes = settings.documentation(model)
        rows = [(f"  {key}", value, notes[key]) for key, value in settings.defaults(model).items()]
        parts.append(tabulate(rows, tablefmt="plain", disable_numparse=True))
    return "\n".join(parts)
