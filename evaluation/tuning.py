"""Choose a model's settings on the validation part: `run_all.py --tune N`."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets.dataset import Dataset
from evaluation import environment, isolation, search_space, settings
from evaluation.configs import Choice, Chosen
from evaluation.runs import Job
from evaluation.trial import Trial, attempt
from support import progress
from support.errors import InputError
from support.files import write_json

if TYPE_CHECKING:
    import optuna

DATABASE, RECORDS = "tuning.db", "tuning"
SECONDS = "seconds"
Params = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """What the search of one model may take, the first trial apart; it ends with what is used up first."""

    trials: int
    minutes: float

    def spent(self, trials: int, seconds: float) -> bool:
        """Whether it is used up."""
        return trials >= self.trials or seconds >= self.minutes * 60


def tune(job: Job, dataset: Dataset, board: Path, budget: Budget, label: str) -> Choice:
    """The settings of the best trial by NDCG@20 on all validation queries, and how they were found.

    The first trial has the model's defaults, the second those of `job`, the others are drawn by Optuna's
    tree-structured Parzen estimator (Bergstra et al. 2011). Settings that the search space leaves out
    stay as in `job`. Trials are kept in `board`/tuning.db: a search that was interrupted goes on there,
    a finished one is only looked up. A copy for reading is written to `board`/tuning/.

    Raises:
        InputError: no validation queries, a search space of another form, or no trial came to its end.
    """
    if not len(dataset.valid):
        raise InputError(f"{dataset.name}: there are no validation queries to choose settings on")
    search = Search(job, dataset, board)
    while not search.told() or not budget.spent(len(search.told()), search.seconds()):
        search.step(f"{label}: trial {len(search.told()) + 1}/{budget.trials}")
    search.write(board / RECORDS / f"{search.name}.json")
    return search.choice(label)


class Search:
    """The study of one model: its trials so far, and the next one."""

    def __init__(self, job: Job, dataset: Dataset, board: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.job, self.dataset = job, dataset
        self.model = job.source.load()
        self.space = search_space.distributions(self.model)
        self.name = self._name()
        board.mkdir(parents=True, exist_ok=True)
        self.storage = f"sqlite:///{board / DATABASE}"
        self.study = optuna.create_study(
            study_name=self.name, storage=self.storage, direction="maximize", load_if_exists=True
        )
        self._begin()

    def _name(self) -> str:
        identity = self.job.identity(self.dataset)
        fixed = {key: value for key, value in self.job.settings.items() if key not in self.space}
        text = json.dumps(identity | {"settings": fixed, "k": 0}, sort_keys=True, default=str)
        return f"{self.job.source.name}-{hashlib.blake2b(text.encode(), digest_size=5).hexdigest()}"

    def _begin(self) -> None:
        """Queue what is tried first; what an interruption left undone is tried again."""
        import optuna

        trials = self.study.get_trials(deepcopy=False)
        first = [settings.defaults(self.model), self.job.settings] if not trials else []
        left = [trial for trial in trials if trial.state == optuna.trial.TrialState.RUNNING]
        for trial in left:
            self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        points = [search_space.within(self.space, values) for values in first]
        for point in [*points, *(trial.params for trial in left)]:
            if point is not None:
                self.study.enqueue_trial(point, skip_if_exists=not left)

    def told(self) -> list[optuna.trial.FrozenTrial]:
        """Trials that came to an end: with a score, given up as hopeless, or failed for a reason."""
        return [trial for trial in self.study.get_trials(deepcopy=False) if SECONDS in trial.user_attrs]

    def seconds(self) -> float:
        """What the trials took together."""
        return sum(trial.user_attrs[SECONDS] for trial in self.told())

    def step(self, label: str) -> None:
        """The next trial."""
        import optuna

        told = self.told()
        # A seed for each trial: a search that goes on draws what it would have drawn.
        self.study.sampler = optuna.samplers.TPESampler(seed=self.job.seed * 10_000 + len(told))
        trial = self.study.ask(self.space)
        before = [each for each in told if each.params == trial.params]
        started = time.perf_counter()
        state, found = (before[0].state, before[0].user_attrs) if before else self._attempt(trial)
        seconds = round(time.perf_counter() - started, 1)
        for key, value in (found | {SECONDS: seconds}).items():
            trial.set_user_attr(key, value)
        self.study.tell(trial, found["ndcg"] if state == optuna.trial.TrialState.COMPLETE else None, state)
        progress.say(f"{label}: {_said(found)} in {seconds} s{self._best()}")

    def _attempt(self, trial: optuna.Trial) -> tuple[optuna.trial.TrialState, dict[str, Any]]:
        """How a trial ended, and its metrics or the reason why it has none."""
        import optuna

        job = replace(self.job, settings=self.settings(trial.params))
        try:
            work = Trial(job, self.dataset, self.storage, self.name, trial._trial_id)
            found = isolation.call(attempt, work)
        except isolation.Crash as crash:
            return optuna.trial.TrialState.FAIL, {"reason": str(crash)}
        if found is None:
            return optuna.trial.TrialState.PRUNED, {}
        return optuna.trial.TrialState.COMPLETE, found

    def settings(self, params: Params) -> dict[str, Any]:
        """Every setting of a trial."""
        return settings.resolve(self.model, self.job.settings | search_space.rounded(params), "a trial")

    def _best(self) -> str:
        done = [trial.user_attrs["ndcg"] for trial in self.told() if "ndcg" in trial.user_attrs]
        return f"; best {max(done):.4f}" if done else ""

    def choice(self, label: str) -> Choice:
        """The best trial's settings, those that are as by default and not searched left out."""
        scored = [trial for trial in self.told() if "ndcg" in trial.user_attrs]
        if not scored:
            reasons = {trial.user_attrs.get("reason", "") for trial in self.told()}
            raise InputError(f"{label}: no trial came to its end: {'; '.join(sorted(reasons))}")
        best = max(scored, key=lambda trial: (trial.user_attrs["ndcg"], -trial.number))
        default = settings.defaults(self.model)
        wanted = {
            key: value
            for key, value in self.settings(best.params).items()
            if key in self.space or value != default[key]
        }
        minutes = round(self.seconds() / 60, 1)
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        return Choice(
            wanted, Chosen("tuning", len(self.told()), round(best.user_attrs["ndcg"], 6), minutes, today)
        )

    def write(self, target: Path) -> None:
        """All trials as JSON."""
        identity = self.job.identity(self.dataset)
        about = {key: identity[key] for key in ("fingerprint", "model", "seed", "device", "precision")}
        about |= {"dataset": self.dataset.title or self.dataset.name, "protocol": self.dataset.protocol}
        about |= {"exclude_seen": self.dataset.exclude_seen, "processor": environment.processor()}
        trials = [
            {"number": number, "state": trial.state.name.lower(), **trial.user_attrs}
            | {"settings": search_space.rounded(trial.params)}
            for number, trial in enumerate(self.told())
        ]
        write_json(target, about | {"versions": environment.versions(), "trials": trials})


def _said(found: dict[str, Any]) -> str:
    if "ndcg" in found:
        return f"NDCG@20 {found['ndcg']:.4f}"
    return f"failed: {found['reason']}" if "reason" in found else "given up as hopeless"
