"""What configs chose on validation, how long its trials were, and other settings scored like them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import baselines  # noqa: F401  (importing registers its models)
import neural  # noqa: F401
from datasets import Dataset
from evaluation import configs, environment, isolation, registry, settings
from evaluation.runs import Job, ModelSource
from evaluation.trial import scored
from support import compute
from support.progress import say

DATASETS = ("gowalla", "amazon-beauty", "ml-1m", "ml-100k")
HELD = ("epochs", "patience")
"""What a command may set for all trials of a search alike"""
Record = dict[str, Any]


@dataclass(frozen=True)
class Tuned:
    """A model's choice for a dataset, on the validation queries."""

    model: str
    ndcg: float
    trials: int
    held: dict[str, Any]
    """Of HELD, what its trials had; what the choice has, where they are not kept"""

    def start(self) -> dict[str, Any]:
        """The settings that a search would begin with today: defaults, but for what was held."""
        return settings.defaults(registry.get(self.model)) | self.held


def choices(dataset: Dataset, root: Path) -> Iterator[Tuned]:
    """What a dataset's config chose on validation, model by model."""
    found = configs.read(root / "configs" / f"{dataset.name}.yaml", dataset)
    for model, choice in sorted(found.items()):
        ndcg = choice.chosen.valid_ndcg
        if ndcg is not None:
            fixed = _search(root / "results" / dataset.name / "tuning", model, ndcg) or choice.settings
            held = {key: fixed[key] for key in HELD if key in fixed}
            yield Tuned(model, ndcg, choice.chosen.trials, held)


def _search(folder: Path, model: str, ndcg: float) -> dict[str, Any]:
    """The settings that all trials of a search had, whose best one has `ndcg`; none where it is not kept."""
    for path in sorted(folder.glob("*.json")):
        search = json.loads(path.read_text(encoding="utf-8"))
        best = max(trial.get("ndcg", 0.0) for trial in search["trials"])
        if (search["model"], round(best, 6)) == (model, ndcg):
            return search["fixed"]
    return {}


def score(dataset: Dataset, tuned: Tuned, values: dict[str, Any], how: str) -> Record:
    """The score of `values`, every setting of the tuned model, on the validation queries; told as `how`."""
    here = compute.configure()
    job = Job(ModelSource(tuned.model), values, 0, 20, here.device, here.precision)
    ndcg = isolation.call(scored, job, dataset)["ndcg"]
    say(f"{dataset.heading}, {tuned.model}: NDCG@20 {ndcg:.4f} {how}, {tuned.ndcg:.4f} tuned")
    found = {"dataset": dataset.heading, "model": tuned.model, "settings": values, "ndcg": ndcg}
    found |= {"tuned": tuned.ndcg, "trials": tuned.trials}
    return found | {"processor": environment.processor(), "commit": environment.git_commit()}
