"""What two-tower models share whose loss divides scores by a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.neural import rules
from retrieval_leaderboard.neural.two_tower import TwoTower


@dataclass
class Tempered(TwoTower):
    """A two-tower model with a temperature; a subclass adds the loss."""

    temperature: float | Auto = setting(AUTO, above=0, search=[AUTO, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28])
    """τ: scores are divided by it. Auto takes 0.1 · (800,000 / training interactions)^¼, yet 0.1 to 0.2."""

    rules: ClassVar[dict[str, Rule]] = TwoTower.rules | {"temperature": rules.temperature}
