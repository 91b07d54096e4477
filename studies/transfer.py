"""Whether settings carry over from one dataset to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tabulate import tabulate

from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.studies.tuned_configs import DATASETS, Record, Tuned

DEFAULTS = "defaults"
LENGTH = ("epochs", "patience")
"""Settings that are of a dataset's size, and not lent"""
Shares = dict[str, float]
"""Origin of the settings → their NDCG@20 as a share of that of the dataset's own choice"""


def origins(tuned: Tuned, dataset: str, root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The other datasets with a choice for the model, and all settings it comes to, trained as by default."""
    for name in DATASETS:
        found = configs.in_section(root / "configs" / f"{name}.yaml", SOURCES[name].protocols[0])
        if name != dataset and tuned.model in found:
            lent = {key: value for key, value in found[tuned.model].settings.items() if key not in LENGTH}
            yield name, tuned.defaults() | lent


def shares(records: list[Record]) -> dict[str, dict[str, Shares]]:
    """Model → dataset → origin → share."""
    found: dict[str, dict[str, Shares]] = {}
    for record in records:
        here = found.setdefault(record["model"], {}).setdefault(record["dataset"].partition(":")[0], {})
        here[record.get("from", DEFAULTS)] = record["ndcg"] / record["tuned"]
    return found


def taken_without(dataset: str, by_dataset: dict[str, Shares]) -> str:
    """The origin whose smallest share elsewhere, neither in `dataset` nor in its own, is the largest.

    Settings that were not scored everywhere else are not among them: they would be judged on less. The
    defaults come first among equals, and where there is nowhere else.
    """
    worst = {}
    for origin in (DEFAULTS, *(name for name in by_dataset if name != dataset)):
        elsewhere = [here for name, here in by_dataset.items() if name not in (dataset, origin)]
        if elsewhere and all(origin in here for here in elsewhere):
            worst[origin] = min(here[origin] for here in elsewhere)
    return max(worst, key=lambda origin: worst[origin], default=DEFAULTS)


def part(records: list[Record]) -> str:
    """The part of the page about other datasets' choices, as Markdown."""
    lines = []
    for model, by_dataset in sorted(shares(records).items()):
        for dataset, here in by_dataset.items():
            taken = taken_without(dataset, by_dataset)
            cells = [_percent(here.get(origin)) for origin in (DEFAULTS, *DATASETS, taken)]
            lines.append([model, dataset, *cells[:-1], taken, cells[-1]])
    header = [
        "model",
        "on",
        DEFAULTS,
        *(f"of {name}" for name in DATASETS),
        "taken without it",
        "their share",
    ]
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    return (
        "## Settings of other datasets\n\nThe same share, of the NDCG@20 of a dataset's own choice, for the "
        "choices of the others, epochs and patience aside: what is lost by tuning on one dataset and using "
        "it on another. Taken without a dataset are those settings, the defaults among them, whose worst "
        "share on the rest (their own dataset aside) is the best. A blank was not scored; settings that were "
        "not scored on every other dataset are not taken, which leaves some models the defaults alone.\n\n"
        f"{table}\n"
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
