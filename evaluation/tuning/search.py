"""Search a model's settings on the validation part: `run_all.py --budget 45m`, or `--tune N`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.reports.labels import written
from retrieval_leaderboard.evaluation.runs import environment, isolation, processes
from retrieval_leaderboard.evaluation.runs.configs import TunedConfig
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, machine
from retrieval_leaderboard.evaluation.tuning import database, halving, search_space, trial_records
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.database import Outcome, outcome
from retrieval_leaderboard.evaluation.tuning.halving import Step
from retrieval_leaderboard.evaluation.tuning.spec import SearchSpec
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.evaluation.tuning.trial_records import TrialRecord, TuningRecord
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.sealed import DamagedError

if TYPE_CHECKING:
    import optuna

N_STARTUP_TRIALS = 6
"""Draws after which the sampler looks at the scores. Optuna's 10 are a third of 30 trials; three searches
of 30 for ItemCF on gowalla: .1243 .1237 .1239 with 6, .1243 .1180 .1234 with 10."""


def tune(
    spec: SearchSpec, board: Path, budget: Budget, anew: bool = False, shipped: Path | None = None
) -> TunedConfig | None:
    """The settings of the best trial by NDCG@20 on all validation queries, and how they were found.

    The first trial has the model's defaults, where they lie in its search space. Then `halving` says what
    comes next: settings drawn by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), the
    defaults and the job's settings before all others, or the best ones trained for longer. Trials are kept in
    `board`/tuning.db: a search that was interrupted goes on there, a finished one is only looked up, unless
    it is to begin `anew`. A copy for reading is written to `board`/tuning/, where those of earlier searches
    stay. Of a budget of fits, what is returned counts the trials of all, those of `shipped`, the board that
    came with the project, included.

    Returns:
        None where every trial failed; the reasons are said.

    Raises:
        InputError: tuning.db or a copy is damaged, or cannot be written.
    """
    with database.usable(database.url(board)):
        if anew:
            _set_aside(spec, board, budget)
        search = Search(spec, board, budget, anew)
        while step := search.following():
            search.make(step)
        trial_records.keep(trial_records.place(board, search.name), search.record())
        boards = [each for each in (board, shipped) if each is not None]
        known = trial_records.of_boards(boards, spec.dataset.fingerprint, spec.job.source.name)
        return search.best(known)


def _set_aside(spec: SearchSpec, board: Path, budget: Budget) -> None:
    """Keep the copy of a search that is to begin anew, with all its trials, under another name."""
    copy = trial_records.place(board, spec.name(budget.minutes))
    with suppress(DamagedError):  # Of a damaged search there is what an earlier copy has.
        search = Search(spec, board, budget)
        if search.finished():
            trial_records.keep(copy, search.record())
    trial_records.set_aside(copy)


class Search:
    """The studies of one model, one a length of training: their trials so far, and the next one."""

    def __init__(self, spec: SearchSpec, board: Path, budget: Budget, anew: bool = False) -> None:
        self.spec, self.job, self.budget = spec, spec.job, budget
        self.model, self.space, self.lengths = self.job.source.load(), spec.space(), spec.lengths()
        self.base, self.name = spec.base(), spec.name(budget.minutes)
        self.heading = DatasetSummary.of(spec.dataset).heading
        board.mkdir(parents=True, exist_ok=True)
        storage = database.url(board)
        self.studies = {
            length: database.opened(storage, f"{self.name}-{length:.3g}", anew) for length in self.lengths
        }
        first = [settings.defaults(self.model), self.base]
        points = [search_space.within(self.space, values) for values in first]
        self.first = [point for at, point in enumerate(points) if point and point not in points[:at]]
        self._close_interrupted()

    def _close_interrupted(self) -> None:
        """A trial without an outcome counts for nothing; the next one takes its place."""
        from optuna.trial import TrialState

        for study in self.studies.values():
            for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
                database.end(study, trial.number, trial.user_attrs.get(database.OUTCOME))

    def finished(self) -> list[tuple[float, optuna.trial.FrozenTrial]]:
        """Length and trial, in their order; DamagedError where one is not what was written."""
        found = [
            (length, trial)
            for length, study in self.studies.items()
            for trial in database.finished_trials(study)
        ]
        return sorted(found, key=lambda each: outcome(each[1])["order"])

    def done(self) -> list[halving.Trial]:
        """What came out of every trial."""
        return [
            halving.Trial(
                settings=trial.params,
                length=length,
                score=outcome(trial).get("ndcg"),
                share=self.budget.share(outcome(trial)["seconds"], length),
            )
            for length, trial in self.finished()
        ]

    def following(self) -> Step | None:
        """The next trial; None where the budget is used up."""
        done = self.done()
        if not done:
            return Step(halving.OWN, self.first[0] if self.first else None)
        draws = not self.budget.timed or not halving.exhausted(done, self.lengths[0])
        return halving.following(done, self.lengths, draws)

    def make(self, step: Step) -> None:
        """Make the trial, and keep what came out of it."""
        finished = [trial for _, trial in self.finished()]
        study = self.studies[step.length]
        trial = self._asked(study, step)
        started = time.perf_counter()
        read = self._read(trial.params)
        before = [each for each in database.finished_trials(study) if self._read(each.params) == read]
        state, found = (before[0].state, outcome(before[0])) if before else self._attempt(trial, step.length)
        took = {"seconds": round(time.perf_counter() - started, 1), "order": len(finished)}
        here = {"processor": DEVICES[self.job.device].hardware(), "threads": compute.current().threads}
        found = found | took | here
        database.end(study, trial.number, database.write_outcome(trial, found, state))
        progress.say(self._line(found, len(finished) + 1))

    def _asked(self, study: optuna.Study, step: Step) -> optuna.Trial:
        import optuna

        drawn = len(database.finished_trials(study))
        # A seed for each trial: a search that goes on draws what it would have drawn.
        seed = self.job.seed * 10_000 + drawn
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=N_STARTUP_TRIALS, seed=seed)
        given = step.settings or next(iter(self.first[drawn : drawn + 1]), None)
        waiting = [optuna.trial.TrialState.WAITING]
        # One may be waiting since the search was interrupted.
        if given is not None and not study.get_trials(deepcopy=False, states=waiting):
            study.enqueue_trial(given)
        return study.ask(self.space)

    def _attempt(self, trial: optuna.Trial, length: float) -> tuple[optuna.trial.TrialState, Outcome]:
        from optuna.trial import TrialState

        try:
            values, horizon = self.settings(trial.params, length), self.model.horizon
        except InputError as refusal:  # A model may not take together what was drawn.
            return TrialState.FAIL, {"reason": str(refusal)}
        trained = {horizon: values[horizon]} if horizon else {}
        try:
            found = processes.call(self.model, scored, replace(self.job, settings=values), self.spec.dataset)
        except isolation.Crash as crash:
            return TrialState.FAIL, {"reason": str(crash)} | trained
        return TrialState.COMPLETE, found | trained

    def _line(self, found: Outcome, number: int) -> str:
        """What the terminal says of a trial."""
        done = self.done()
        best = max((each.score for each in done if each.score is not None), default=None)
        used = min(sum(each.share for each in done), 1.0)
        ended = f"NDCG@20 {found['ndcg']:.4f}" if "ndcg" in found else f"failed: {found['reason']}"
        horizon = self.model.horizon
        length = f", {horizon} {found[horizon]}" if horizon in found else ""
        so_far = "" if best is None else f"; best so far {best:.4f}"
        return (
            f"tuning {self.job.source.name}: trial {number}{length}: {ended} in {found['seconds']} s"
            f"{so_far}; {used:.0%} of the budget"
        )

    def _read(self, params: dict[str, Any]) -> dict[str, Any]:
        """`params` without those that nothing reads beside the others."""
        unread = self.model.unread(self.base | params)
        return {key: value for key, value in params.items() if key not in unread}

    def settings(self, params: dict[str, Any], length: float) -> dict[str, Any]:
        """Every setting of a trial; those that nothing reads are as by the job."""
        given = self.base | search_space.rounded(self._read(params))
        found = settings.resolve(self.model, given, "a trial")
        if len(self.lengths) == 1:
            return found
        data, horizon = self.spec.dataset, self.model.horizon
        own = settings.build(self.model, found).resolve(data.train, data.valid).get(horizon, found[horizon])
        return found | {horizon: max(1, round(own * length))}

    def best(self, on_record: list[TrialRecord]) -> TunedConfig | None:
        """The best trial's settings, those that are as by default and not searched left out.

        Args:
            on_record: every trial on this validation part, those of this search among them.
        """
        finished = self.finished()
        complete = [(length, trial) for length, trial in finished if "ndcg" in outcome(trial)]
        if not complete:
            reasons = "; ".join(sorted({outcome(trial)["reason"] for _, trial in finished}))
            progress.say(f"tuning {self.job.source.name}: no trial came to its end: {reasons}")
            return None
        length, best = max(complete, key=lambda each: (outcome(each[1])["ndcg"], -outcome(each[1])["order"]))
        default = settings.defaults(self.model)
        wanted = {
            key: value
            for key, value in self.settings(best.params, length).items()
            if key in self.space or value != default[key]
        }
        return TunedConfig(wanted, self._provenance(best, on_record))

    def _provenance(self, best: optuna.trial.FrozenTrial, on_record: list[TrialRecord]) -> Provenance:
        """A budget of time, where nothing was set for it, is one for all models: it counts its own trials, as
        what it began with were defaults.
        """
        own = [trial for _, trial in self.finished()]
        for_all = self.budget.timed and not self.spec.fixed
        trials = [self._record(trial) for trial in own] if for_all else on_record
        ended = max(trial.datetime_complete for trial in own if trial.datetime_complete)
        return Provenance(
            by="budget" if for_all else "tuning",
            trials=len(trials),
            different=len({str(trial.settings) for trial in trials}),
            pruned=sum(trial.state == "pruned" for trial in trials),
            valid_ndcg=round(outcome(best)["ndcg"], 6),
            minutes=round(sum(trial.seconds for trial in trials) / 60, 1),
            cap_minutes=self.budget.minutes,
            threads=self._threads(),
            date=ended.strftime("%Y-%m-%d"),
            note="; ".join([f"on {self.heading}", *self._remarks(best, on_record)]),
            fingerprint=self.spec.dataset.fingerprint,
        )

    def _remarks(self, best: optuna.trial.FrozenTrial, on_record: list[TrialRecord]) -> Iterator[str]:
        """What a reader should know of `best`: what was not searched, and a better trial."""
        fixed = {key: self.job.settings[key] for key in sorted(self.spec.fixed)}
        if fixed:
            yield f"set for it: {written(fixed)}"
        if len(self._machines()) > 1:
            yield f"trials on {' and '.join(self._machines())}"
        top = max((trial.metrics.get("ndcg", 0.0) for trial in on_record), default=0.0)
        if top > outcome(best)["ndcg"]:
            yield f"another search on record came to {top:.4f}"

    def _machines(self) -> list[str]:
        """What trials were made on, the processor or GPU and the threads; without those that do not say."""
        known = [outcome(trial) for _, trial in self.finished() if "processor" in outcome(trial)]
        return list(dict.fromkeys(machine(each["processor"], each["threads"]) for each in known))

    def _threads(self) -> int | None:
        """Of every trial; None where they differ, or none says."""
        known = {outcome(trial).get("threads") for _, trial in self.finished()}
        return known.pop() if len(known) == 1 else None

    def record(self) -> TuningRecord:
        """All trials, for a reader."""
        data, job = self.spec.dataset, self.job
        return TuningRecord(
            fingerprint=data.fingerprint,
            model=job.source.name,
            seed=job.seed,
            device=job.device,
            precision=job.precision,
            dataset=self.heading,
            versions=environment.versions(),
            processor="; ".join(self._machines()),
            threads=self._threads(),
            minutes=self.budget.minutes,
            fixed={key: value for key, value in self.base.items() if key not in self.space},
            trials=tuple(self._record(trial) for _, trial in self.finished()),
        )

    def _record(self, trial: optuna.trial.FrozenTrial) -> TrialRecord:
        found, horizon = outcome(trial), self.model.horizon
        apart = ("seconds", "reason", "order", "processor", "threads", horizon)
        length = {horizon: found[horizon]} if horizon in found else {}
        return TrialRecord(
            state=trial.state.name.lower(),
            settings=search_space.rounded(trial.params) | length,
            seconds=found["seconds"],
            metrics={key: value for key, value in found.items() if key not in apart},
            reason=found.get("reason", ""),
        )
