"""One trial of a search: a model fitted with certain settings and scored on the validation part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models import lists, settings
from retrieval_leaderboard.evaluation.models.retriever import Watcher
from retrieval_leaderboard.evaluation.tuning.database import usable
from retrieval_leaderboard.support import compute, progress

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.runs.runner import Job

K = 20
STAGES = 10
"""Parts of a training after each of which a trial is compared with those before it."""


@dataclass(frozen=True)
class Trial:
    """A job to be scored, and where Optuna keeps what came out of others."""

    job: Job
    dataset: Dataset
    storage: str
    """URL of the database"""
    study: str
    id: int


def attempt(trial: Trial) -> dict[str, float] | None:
    """The means of the metrics on the validation queries; None where the trial was pruned.

    Runs in a process of its own.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with usable(trial.storage):
            study = optuna.load_study(study_name=trial.study, storage=trial.storage, pruner=pruner())
            return scored(trial.job, trial.dataset, Watch(optuna.trial.Trial(study, trial.id)))
    except optuna.TrialPruned:
        return None


def scored(job: Job, data: Dataset, watcher: Watcher | None = None) -> dict[str, float]:
    """The means of the metrics on the validation queries, after a fit that `watcher` follows.

    Sets device, threads and progress of this process.
    """
    compute.configure(job.device, job.precision)
    progress.configure(quiet=True)
    model = settings.build(job.source.load(), job.settings)
    if watcher is not None:
        model.watch(watcher)
    model.fit(data.train, data.valid, job.seed)
    items, scores = model.recommend(data.valid.without_answers(), K)
    lists.check(items, scores, data.valid, K, data.train.n_items)
    return measure.mean(measure.per_query(items, data.valid.relevant, K))


class Watch:
    """Tells Optuna how a training is doing, and ends one that the pruner stops."""

    def __init__(self, trial: Any) -> None:
        self.trial, self.stage = trial, 0

    def __call__(self, done: float, score: float) -> None:
        """`score` is NDCG@20 where the share `done` of the training is done.

        Raises:
            TrialPruned: its scores lag behind those of other trials.
        """
        import optuna

        stage = int(np.floor(done * STAGES))
        if self.stage < stage < STAGES:
            self.stage = stage
            self.trial.report(score, stage)
            if self.trial.should_prune():
                raise optuna.TrialPruned


def pruner() -> Any:
    """Five trials run to their end; later ones end where, after half their training, they are below the
    median of at least three others at the same stage.

    Earlier the order of trials is not yet that of their ends.
    """
    import optuna

    return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5, n_min_trials=3)
