"""Whether settings carry over from one dataset to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.studies.scores import Transfer
from retrieval_leaderboard.studies.tuned_configs import DATASETS, Tuned
from retrieval_leaderboard.support import markdown
from retrieval_leaderboard.support.errors import InputError

DEFAULTS = "defaults"
LENGTH = ("epochs", "patience")
"""Settings that follow a dataset's size, and are not transferred"""
Shares = dict[str, float]
"""Origin of the settings → their NDCG@20 as a share of that of the dataset's own"""


@dataclass(frozen=True)
class Share:
    """A score beside that of the dataset's own settings."""

    score: Transfer
    tuned: float
    """NDCG@20 of the dataset's own settings"""
    trials: str
    """Tried for them, in words"""

    @property
    def value(self) -> float:
        """The score as a share of that of the dataset's own settings."""
        return self.score.ndcg / self.tuned

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.score.dataset.partition(":")[0]


def share(score: Transfer, root: Path) -> Share:
    """A score beside what the dataset's config says of its own settings."""
    name = score.dataset.partition(":")[0]
    made = _configs(root, name)[score.model].provenance
    if made.valid_ndcg is None:
        raise InputError(f"configs/{name}.yaml does not say what the settings of {score.model} scored")
    return Share(score, made.valid_ndcg, made.counted)


@cache
def _configs(root: Path, name: str) -> dict[str, configs.TunedConfig]:
    """Model → its own settings on a dataset, by its first protocol."""
    return configs.in_section(root / "configs" / f"{name}.yaml", SOURCES[name].protocols[0])


def origins(tuned: Tuned, dataset: str, root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The other datasets with a choice for the model, and all settings it comes to, trained as by default."""
    for name in DATASETS:
        found = _configs(root, name)
        if name != dataset and tuned.model in found:
            transferred = {
                key: value for key, value in found[tuned.model].settings.items() if key not in LENGTH
            }
            yield name, tuned.defaults() | transferred


def shares(scored: list[Share]) -> dict[str, dict[str, Shares]]:
    """Model → dataset → origin → share."""
    found: dict[str, dict[str, Shares]] = {}
    for each in scored:
        here = found.setdefault(each.score.model, {}).setdefault(each.dataset, {})
        here[each.score.origin or DEFAULTS] = each.value
    return found


def best_elsewhere(dataset: str, by_dataset: dict[str, Shares]) -> str:
    """The origin one would choose without `dataset`: its smallest share on the other datasets is the largest.

    An origin's own dataset does not count. One that was not scored on every other dataset is left out; ""
    where all are. The defaults are none of them: the dataset had its say in those.
    """
    worst = {}
    for origin in (name for name in by_dataset if name != dataset):
        elsewhere = [here for name, here in by_dataset.items() if name not in (dataset, origin)]
        if elsewhere and all(origin in here for here in elsewhere):
            worst[origin] = min(here[origin] for here in elsewhere)
    return max(worst, key=lambda origin: worst[origin], default="")


def table(scored: list[Share]) -> str:
    """Shares with other datasets' tuned settings, as Markdown; a blank was not scored, none is left out."""
    lines = []
    for model, by_dataset in sorted(shares(scored).items()):
        for dataset, here in by_dataset.items():
            if not here.keys() - {DEFAULTS}:
                continue
            origin = best_elsewhere(dataset, by_dataset)
            cells = [_percent(here.get(name)) for name in (*DATASETS, origin)]
            lines.append([model, dataset, *cells[:-1], origin, cells[-1]])
    of_others = [f"of {name}" for name in DATASETS]
    return markdown.table(lines, ["model", "on", *of_others, "best elsewhere", "its share"])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
