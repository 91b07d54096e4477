"""How long a command's runs that are not done yet will take, by those that it has done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.evaluation.runs.runner import Job
from retrieval_leaderboard.support.progress import duration

SHORTEST_SECONDS = 1.0
"""Shorter times are mostly noise."""


@dataclass(frozen=True)
class _Done:
    job: Job
    seconds: float
    """All that the run took"""
    measured: float
    """Fitting and ranking alone"""


class RemainingTime:
    """What is known of the runs to come.

    A run takes what those of the same model have taken in this command. Else it takes what a stored run of
    the same model did on the same data, times the speed of this machine against that of the stored runs.
    Else it takes what the models of the same package (the classical ones, the towers) have taken.
    """

    def __init__(self, stored: Iterable[RunRecord] = ()) -> None:
        """Records of runs on the same data, whoever made them."""
        self._stored = {record.model: _measured(record) for record in stored if record.is_done}
        self._done: list[_Done] = []

    @classmethod
    def of(cls, board: Path, fingerprint: str) -> RemainingTime:
        """With the runs in a dataset's folder, and the shipped ones, that have this fingerprint."""
        folders = filter(None, (leaderboard.shipped_beside(board), board))
        stored = [record for folder in folders for record in records.of_board(folder).values()]
        return cls(record for record in stored if record.fingerprint == fingerprint)

    def add(self, job: Job, record: RunRecord, seconds: float) -> None:
        """A run of this command that came to its end after `seconds`; one that failed says nothing."""
        if record.is_done:
            self._done.append(_Done(job, seconds, _measured(record)))

    def left(self, jobs: Sequence[Job]) -> str:
        """As "about 4 min left in all"; or "" where nothing is known of one of `jobs`."""
        seconds = [self._seconds(job) for job in jobs]
        known = [each for each in seconds if each is not None]
        if not known or len(known) < len(seconds):
            return ""
        return f"about {duration(sum(known))} left in all"

    def _seconds(self, job: Job) -> float | None:
        alike = [each.seconds for each in self._done if each.job.source == job.source]
        if alike:
            return mean(alike)
        if job.source.name in self._stored and (speed := self._speed()) is not None:
            start = mean(each.seconds - each.measured for each in self._done)
            return start + speed * self._stored[job.source.name]
        of_package = [each.seconds for each in self._done if _package(each.job) == _package(job)]
        return mean(of_package) if of_package else None

    def _speed(self) -> float | None:
        """Time here by time stored, of the models that have both; None where that is too short."""
        both = [
            (each.measured, self._stored[each.job.source.name])
            for each in self._done
            if each.job.source.name in self._stored
        ]
        here, stored = sum(pair[0] for pair in both), sum(pair[1] for pair in both)
        return here / stored if stored >= SHORTEST_SECONDS else None


def _measured(record: RunRecord) -> float:
    return record.costs.fit_seconds + record.costs.recommend_seconds


def _package(job: Job) -> str:
    return job.source.plugin or job.source.load().__module__.rpartition(".")[0]
