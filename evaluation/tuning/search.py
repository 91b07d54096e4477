"""Tune a model's settings on the validation part: `run_all.py --tune N`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.reports.labels import written
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.evaluation.runs.configs import TunedConfig
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import digest
from retrieval_leaderboard.evaluation.runs.runner import Job
from retrieval_leaderboard.evaluation.tuning import database, search_space, trial_records
from retrieval_leaderboard.evaluation.tuning.database import Outcome, outcome
from retrieval_leaderboard.evaluation.tuning.trial import Trial, attempt
from retrieval_leaderboard.evaluation.tuning.trial_records import TrialRecord, TuningRecord
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.devices import DEVICES

if TYPE_CHECKING:
    import optuna

N_STARTUP_TRIALS = 6
"""Trials after which the sampler looks at the scores. Optuna's 10 are a third of 30 trials; three searches
of 30 for ItemCF on gowalla: .1243 .1237 .1239 with 6, .1243 .1180 .1234 with 10."""
RECORDS = "tuning"
"""Folder of the copies for reading"""


@dataclass(frozen=True)
class Budget:
    """What the search of one model may take: it ends with whichever is used up first."""

    trials: int
    minutes: float
    """No trial begins later; the first always does"""

    def spent(self, trials: int, seconds: float) -> bool:
        """Whether it is used up."""
        return trials >= self.trials or (trials > 0 and seconds >= self.minutes * 60)


@dataclass(frozen=True)
class SearchSpec:
    """Whose settings are searched, on what."""

    job: Job
    """Its settings hold where the search does not draw others"""
    dataset: Dataset
    fixed: frozenset[str] = frozenset()
    """Settings that are not searched, whatever the model's search space says"""

    def space(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """What is searched: the model's search space, but for what is fixed or has no effect on the data."""
        model = self.job.source.load()
        idle = settings.build(model, self.job.settings).without_effect(self.dataset.train, self.dataset.valid)
        return search_space.distributions(model, self.fixed | idle)

    def name(self) -> str:
        """The same for the same search: data, model, space, settings that are not searched, device."""
        space = self.space()
        fixed = {key: value for key, value in self.job.settings.items() if key not in space}
        identity = self.job.identity(self.dataset).key | {
            "settings": fixed,
            "k": 0,
            "space": repr(space),
        }
        return f"{self.job.source.name}-{digest(identity)}"


def tune(
    spec: SearchSpec, board: Path, budget: Budget, anew: bool = False, shipped: Path | None = None
) -> TunedConfig | None:
    """The settings of the best trial by NDCG@20 on all validation queries, and how they were found.

    The first trial has the model's defaults, the second the job's settings, where these differ and the
    space holds them; the others are drawn by Optuna's tree-structured Parzen estimator (Bergstra et al.
    2011). Trials are kept in `board`/tuning.db: a search that was interrupted goes on there, a finished
    one is only looked up, unless it is to begin `anew`. A copy for reading is written to `board`/tuning/,
    where those of earlier searches stay: what is returned counts the trials of all, those of `shipped`, the
    board that came with the project, included.

    Returns:
        None where every trial failed; the reasons are said.

    Raises:
        InputError: tuning.db or a copy is damaged, or cannot be written.
    """
    with database.usable(database.url(board)):
        search = Search(spec, board, anew)
        while not budget.spent(len(search.finished_trials()), search.seconds()):
            search.step(budget.trials)
        copy = board / RECORDS / f"{search.name}.json"
        if anew and copy.is_file():
            number = len(list(copy.parent.glob(f"{search.name}*.json")))
            copy.rename(copy.with_suffix(f".{number}.json"))
        search.write(copy)
        return search.best(budget, on_record(spec, board, shipped))


def on_record(spec: SearchSpec, *boards: Path | None) -> list[TrialRecord]:
    """Every trial of the model on this validation part that has a copy under `boards`, of whatever search.

    Raises:
        DamagedError: a copy is not of its form.
    """
    asked = spec.dataset.fingerprint, spec.job.source.name
    folders = [board / RECORDS for board in boards if board is not None]
    copies = [trial_records.load(path) for folder in folders for path in sorted(folder.glob("*.json"))]
    return [trial for copy in copies if (copy.fingerprint, copy.model) == asked for trial in copy.trials]


class Search:
    """The study of one model: its trials so far, and the next one."""

    def __init__(self, spec: SearchSpec, board: Path, anew: bool = False) -> None:
        self.spec, self.job = spec, spec.job
        self.model, self.space = self.job.source.load(), spec.space()
        self.name = spec.name()
        board.mkdir(parents=True, exist_ok=True)
        self.storage = database.url(board)
        self.study = database.opened(self.storage, self.name, anew)
        first = [settings.defaults(self.model), self.job.settings]
        points = [search_space.within(self.space, values) for values in first]
        self.first = [point for at, point in enumerate(points) if point and point not in points[:at]]
        self._close_interrupted()

    def _close_interrupted(self) -> None:
        """A trial without an outcome counts for nothing; the next one takes its place."""
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            self.study.tell(trial.number, state=TrialState.FAIL)

    def finished_trials(self) -> list[optuna.trial.FrozenTrial]:
        """DamagedError where one is not what was written."""
        return database.finished_trials(self.study)

    def scored(self) -> list[optuna.trial.FrozenTrial]:
        """Those with a score."""
        return [trial for trial in self.finished_trials() if "ndcg" in outcome(trial)]

    def seconds(self) -> float:
        """What the trials took together."""
        return sum(outcome(trial)["seconds"] for trial in self.finished_trials())

    def step(self, trials: int) -> None:
        """The next of `trials` trials."""
        import optuna

        finished = self.finished_trials()
        # A seed for each trial: a search that goes on draws what it would have drawn.
        seed = self.job.seed * 10_000 + len(finished)
        self.study.sampler = optuna.samplers.TPESampler(n_startup_trials=N_STARTUP_TRIALS, seed=seed)
        waiting = [optuna.trial.TrialState.WAITING]
        # One may be waiting since the search was interrupted.
        if len(finished) < len(self.first) and not self.study.get_trials(deepcopy=False, states=waiting):
            self.study.enqueue_trial(self.first[len(finished)])
        trial = self.study.ask(self.space)
        started = time.perf_counter()
        before = [each for each in finished if each.params == trial.params]
        state, found = (before[0].state, outcome(before[0])) if before else self._attempt(trial)
        found = found | {"seconds": round(time.perf_counter() - started, 1)}
        database.write_outcome(trial, found, state)
        self.study.tell(trial, found["ndcg"] if state == optuna.trial.TrialState.COMPLETE else None, state)
        best = max((outcome(each)["ndcg"] for each in self.scored()), default=None)
        so_far = "" if best is None else f"; best so far {best:.4f}"
        label = f"tuning {self.job.source.name}: trial {len(finished) + 1}/{trials}"
        progress.say(f"{label}: {_summary(found)} in {found['seconds']} s{so_far}")

    def _attempt(self, trial: optuna.Trial) -> tuple[optuna.trial.TrialState, Outcome]:
        from optuna.trial import TrialState

        job = replace(self.job, settings=self.settings(trial.params))
        try:
            work = Trial(job, self.spec.dataset, self.storage, self.name, trial._trial_id)
            found = isolation.call(attempt, work)
        except isolation.Crash as crash:
            return TrialState.FAIL, {"reason": str(crash)}
        return (TrialState.PRUNED, {}) if found is None else (TrialState.COMPLETE, found)

    def settings(self, params: dict[str, Any]) -> dict[str, Any]:
        """Every setting of a trial."""
        return settings.resolve(self.model, self.job.settings | search_space.rounded(params), "a trial")

    def best(self, budget: Budget, on_record: list[TrialRecord]) -> TunedConfig | None:
        """The best trial's settings, those that are as by default and not searched left out.

        Args:
            budget: what the search was given.
            on_record: every trial that counts, those of this search among them.
        """
        finished, scored = self.finished_trials(), self.scored()
        if not scored:
            reasons = "; ".join(sorted({outcome(trial).get("reason", "pruned") for trial in finished}))
            progress.say(f"tuning {self.job.source.name}: no trial came to its end: {reasons}")
            return None
        best = max(scored, key=lambda trial: (outcome(trial)["ndcg"], -trial.number))
        default = settings.defaults(self.model)
        wanted = {
            key: value
            for key, value in self.settings(best.params).items()
            if key in self.space or value != default[key]
        }
        ended = max(trial.datetime_complete for trial in finished if trial.datetime_complete)
        made = Provenance(
            by="tuning",
            trials=len(on_record),
            different=len({str(trial.settings) for trial in on_record}),
            pruned=sum(trial.state == "pruned" for trial in on_record),
            valid_ndcg=round(outcome(best)["ndcg"], 6),
            minutes=round(sum(trial.seconds for trial in on_record) / 60, 1),
            cap_minutes=budget.minutes,
            date=ended.strftime("%Y-%m-%d"),
            note="; ".join([f"on {self.spec.dataset.heading}", *self._remarks(best, on_record)]),
            fingerprint=self.spec.dataset.fingerprint,
        )
        return TunedConfig(wanted, made)

    def _remarks(self, best: optuna.trial.FrozenTrial, on_record: list[TrialRecord]) -> Iterator[str]:
        """What a reader should know of `best`: what was not searched, and a better trial."""
        fixed = {key: self.job.settings[key] for key in sorted(self.spec.fixed)}
        if fixed:
            yield f"set for it: {written(fixed)}"
        top = max((trial.metrics.get("ndcg", 0.0) for trial in on_record), default=0.0)
        if top > outcome(best)["ndcg"]:
            yield f"another search on record came to {top:.4f}"

    def write(self, target: Path) -> None:
        """All trials as JSON."""
        data, job = self.spec.dataset, self.job
        trial_records.write(
            target,
            TuningRecord(
                fingerprint=data.fingerprint,
                model=job.source.name,
                seed=job.seed,
                device=job.device,
                precision=job.precision,
                dataset=data.heading,
                versions=environment.versions(),
                processor=DEVICES[job.device].hardware(),
                fixed={key: value for key, value in job.settings.items() if key not in self.space},
                trials=tuple(map(_record, self.finished_trials())),
            ),
        )


def _record(trial: optuna.trial.FrozenTrial) -> TrialRecord:
    found = outcome(trial)
    metrics = {key: value for key, value in found.items() if key not in ("seconds", "reason")}
    return TrialRecord(
        state=trial.state.name.lower(),
        settings=search_space.rounded(trial.params),
        seconds=found["seconds"],
        metrics=metrics,
        reason=found.get("reason", ""),
    )


def _summary(found: Outcome) -> str:
    if "ndcg" in found:
        return f"NDCG@20 {found['ndcg']:.4f}"
    return f"failed: {found['reason']}" if "reason" in found else "pruned"
