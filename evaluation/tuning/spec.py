"""What a search is about: the model, the data, what is drawn and for how long it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.runs.record import digest
from retrieval_leaderboard.evaluation.runs.runner import Job
from retrieval_leaderboard.evaluation.tuning import halving, search_space
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import DEVICES

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class SearchSpec:
    """Whose settings are searched, on what."""

    job: Job
    """Its settings hold where the search does not draw others"""
    dataset: Dataset
    fixed: frozenset[str] = frozenset()
    """Settings that are not searched, whatever the model's search space says"""

    def base(self) -> dict[str, Any]:
        """Settings that hold where the search draws no others: the job's. Where the length of training is
        varied it is the default's: a search that began with a found one would have others for its own.
        """
        if len(self.lengths()) == 1:
            return self.job.settings
        model = self.job.source.load()
        return self.job.settings | {model.horizon: settings.defaults(model)[model.horizon]}

    def space(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """What is searched: the model's search space, but for what is fixed or has no effect on the data."""
        model = self.job.source.load()
        idle = settings.build(model, self.base()).without_effect(self.dataset.train, self.dataset.valid)
        return search_space.distributions(model, self.fixed | idle)

    def lengths(self) -> tuple[float, ...]:
        """Of training, in those of the model's own, the shortest first; one where it is not to be varied."""
        horizon = self.job.source.load().horizon
        return halving.LENGTHS if horizon and horizon not in self.fixed else (halving.OWN,)

    def name(self, minutes: float | None = None) -> str:
        """The same for the same search: data, model, space, settings that are not searched, device; and of a
        budget of time its `minutes`, for a smaller one would not have come to a larger one's trials, and the
        machine and threads, for another one would not have either.
        """
        space = self.space()
        fixed = {key: value for key, value in self.base().items() if key not in space}
        here = DEVICES[self.job.device].hardware(), compute.current().threads
        identity = self.job.identity(self.dataset).key | {
            "settings": fixed,
            "k": 0,
            "space": repr(space),
            "lengths": self.lengths(),
            "minutes": minutes,
        }
        if minutes is not None:
            identity["machine"] = here
        return f"{self.job.source.name}-{digest(identity)}"
