"""Tuned settings of the configs, and other settings scored like them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.runs import configs, environment, isolation
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.studies.scores import Transfer
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.progress import say

DATASETS = ("gowalla", "amazon-beauty", "ml-1m", "ml-100k")


@dataclass(frozen=True)
class Tuned:
    """A model's score on the validation queries with the settings that a config has for the dataset."""

    model: str
    ndcg: float
    trials: int

    def defaults(self) -> dict[str, Any]:
        """The settings that the model has on a dataset without a config."""
        return settings.defaults(registry.get(self.model))


def tuned_models(dataset: Dataset, root: Path) -> Iterator[Tuned]:
    """The models that were tuned on validation for a dataset, by its config."""
    found = configs.read(root / "configs" / f"{dataset.name}.yaml", dataset)
    for model, config in sorted(found.items()):
        if config.provenance.valid_ndcg is not None:
            yield Tuned(model, config.provenance.valid_ndcg, config.provenance.trials)


def score(dataset: Dataset, tuned: Tuned, values: dict[str, Any], how: str, origin: str = "") -> Transfer:
    """Score `values`, every setting of the tuned model, on the validation queries; say it with `how`."""
    here = compute.configure()
    job = Job(ModelSource(tuned.model), values, 0, 20, here.device, here.precision)
    ndcg = isolation.call(scored, job, dataset)["ndcg"]
    say(f"{dataset.heading}, {tuned.model}: NDCG@20 {ndcg:.4f} {how}, {tuned.ndcg:.4f} tuned")
    machine, commit = environment.processor(), environment.git_commit()
    return Transfer(dataset.heading, tuned.model, values, ndcg, machine, commit, origin)
