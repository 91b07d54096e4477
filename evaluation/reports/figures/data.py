"""A board as plain values: what its page, charts and LaTeX tables are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval_leaderboard.evaluation.reports.costs import FORMS
from retrieval_leaderboard.evaluation.statistics.standing import Interval

Points = list[tuple[float, float]]
INTERVALS, OVER_SEEDS = "95 % interval", "± one standard deviation over seeds"
COSTS = {name: label for label, (name, _) in FORMS.items()}
"""Field of `Costs` → what its column is called"""


@dataclass(frozen=True)
class SliceScore:
    """What a row is worth on a part of the queries."""

    slice: str
    queries: int
    recall: float | None
    """None where the row cannot have a figure"""
    ndcg: float | None


@dataclass(frozen=True)
class RowData:
    """A row of a board."""

    name: str
    """The model, with a number where it has several rows"""
    model: str
    detail: str
    """In what it differs from other rows of its model, and its marks"""
    official: bool
    contends: bool
    """Whether it may be called the best"""
    brief: str
    made: str
    """How its settings came about, in a few words and in full"""
    commands: list[str]
    """That searches its settings, where one did, and that makes it with them"""
    to_put_in: str
    """What to replace in them before they can be pasted; "" for nothing"""
    settings: dict[str, object]
    seeds: list[int]
    date: str
    color: str
    shape: str
    repeats: str = ""
    """Name of the row whose settings it has, or "" """
    rank: str = ""
    metrics: dict[str, Interval] = field(default_factory=dict)
    """By name; {} of a row that failed"""
    lead: Interval | None = None
    p: float | None = None
    costs: dict[str, float] = field(default_factory=dict)
    """By field of `Costs`; {} where they were measured on another machine than the board's"""
    slices: list[SliceScore] = field(default_factory=list)
    curve: Points = field(default_factory=list)
    """k and NDCG@k"""
    loss: Points = field(default_factory=list)
    """Epoch and loss"""
    validation: Points = field(default_factory=list)
    """Epoch and NDCG on the validation queries"""
    reason: str = ""
    """Why it failed"""


@dataclass(frozen=True)
class BoardData:
    """A board, its rows the best first."""

    title: str
    dataset: str
    k: int
    verdict: str
    """A few sentences, with names between two pairs of asterisks"""
    facts: dict[str, str]
    metrics: dict[str, str]
    """Name → title of those that rows have, in the order of the columns"""
    machine: str
    """What costs were measured on"""
    without_seconds: str
    """Why rows have no seconds, in a sentence; "" where all have them"""
    bars: str
    """What the bars of metrics are: INTERVALS, OVER_SEEDS or "" """
    reference: str
    """Name of the row that others are compared with, or "" """
    rows: list[RowData]
    p_values: dict[tuple[str, str], float]
    """Names of two rows → p of the test whether they differ, where there was one"""
    synthetic: bool = False

    @property
    def done(self) -> list[RowData]:
        """The rows with results."""
        return [row for row in self.rows if row.metrics]

    @property
    def official(self) -> list[RowData]:
        """The rows with results that one procedure made; all, where it made those of one model alone."""
        found = [row for row in self.done if row.official]
        return found if len({row.model for row in found}) > 1 else self.done


def best(rows: Sequence[RowData], metric: str) -> float:
    """The highest mean among the rows of a table that may be called the best."""
    known = [row for row in rows if metric in row.metrics]
    able = [row for row in known if row.contends] or known
    return max((row.metrics[metric].mean for row in able), default=float("inf"))
