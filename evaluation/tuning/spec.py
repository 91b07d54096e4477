"""What a search is about: the model, the data, what is drawn and for how long it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.runs.record import digest
from retrieval_leaderboard.evaluation.runs.runner import Job
from retrieval_leaderboard.evaluation.tuning import halving, search_space

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
        """What is searched: the model's search space, but for what is fixed, has no effect on the data or is
        read by nothing, whatever is drawn beside it.
        """
        model, base = self.job.source.load(), self.base()
        idle = settings.build(model, base).without_effect(self.dataset.train, self.dataset.valid)
        drawn = search_space.distributions(model, self.fixed | idle)
        points = [
            base | {key: value} for key, each in drawn.items() for value in getattr(each, "choices", ())
        ]
        unread = model.unread(base).intersection(*map(model.unread, points))
        return {key: each for key, each in drawn.items() if key not in unread}

    def lengths(self) -> tuple[float, ...]:
        """Of training, in those of the model's own, the shortest first; one where it is not to be varied."""
        horizon = self.job.source.load().horizon
        return halving.LENGTHS if horizon and horizon not in self.fixed else (halving.OWN,)

    def name(self, minutes: float | None = None) -> str:
        """The same for the same search: data, model, space, settings that are not searched, device; and
        `minutes` of a budget of time, for a smaller one would not have come to a larger one's trials.
        """
        space = self.space()
        fixed = {key: value for key, value in self.base().items() if key not in space}
        identity = self.job.identity(self.dataset).key | {
            "settings": fixed,
            "k": 0,
            "space": repr(space),
            "lengths": self.lengths(),
            "minutes": minutes,
        }
        return f"{self.job.source.name}-{digest(identity)}"
