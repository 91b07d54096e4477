"""What a search is about: the model, the data, what is drawn and for how long it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    def space(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """What is searched: the model's search space, but for what is fixed or has no effect on the data."""
        model = self.job.source.load()
        idle = settings.build(model, self.job.settings).without_effect(self.dataset.train, self.dataset.valid)
        return search_space.distributions(model, self.fixed | idle)

    def lengths(self) -> tuple[float, ...]:
        """Of training, in those of the model's own, the shortest first; one where it is not to be varied."""
        horizon = self.job.source.load().horizon
        return halving.LENGTHS if horizon and horizon not in self.fixed else (halving.OWN,)

    def name(self, minutes: float | None = None) -> str:
        """The same for the same search: data, model, space, settings that are not searched, device; and
        `minutes` of a budget of time, for a smaller one would not have come to a larger one's trials.
        """
        space = self.space()
        fixed = {key: value for key, value in self.job.settings.items() if key not in space}
        identity = self.job.identity(self.dataset).key | {
            "settings": fixed,
            "k": 0,
            "space": repr(space),
            "lengths": self.lengths(),
            "minutes": minutes,
        }
        return f"{self.job.source.name}-{digest(identity)}"
