"""What a dataset is made of, in numbers that show at a glance whether it was read as it was meant."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Profile:
    """A log as read, and the protocol it is split by."""

    rows: int
    """Rows of the source"""
    kept: int
    """Rows that are interactions"""
    dropped: dict[str, int]
    """reason → rows left out for it"""
    repeated: int
    """Interactions of a user with an item that the user had before"""
    users: int
    items: int
    """The catalog"""
    candidates: str
    """Which items it holds, in words; "" where that is not known"""
    learned: int
    """Those with training interactions, the validation part included"""
    density: float
    """Share of all pairs of a user and an item of the catalog that are there"""
    columns: dict[str, str]
    """role → column of a user's own file; {} for a known dataset"""
    left_out: list[str]
    """The other columns of the file"""
    times: str
    """How the times are given, in words; "" without times"""
    first: str
    """The earliest time, ISO 8601 in UTC, or the number where numbers give an order; "" without times"""
    last: str
    tied: float
    """Share of the interactions whose time is also that of another of the same user"""
    protocol: str
    chosen: str
    """Why this protocol"""
    begin: list[str]
    """When the validation and the test period begin, as `first`; [] without periods"""
    warnings: list[str]
    """What a reader of a table on this data should beware of; they are among the dataset's notes"""
    memory: int = 0
    """Bytes that sorting kept to; 0 where all was in memory"""
    spilled: int = 0
    """Bytes that lay on disk meanwhile"""
    events: dict[str, int] = field(default_factory=dict)
    """Kind of event → interactions of it; {} where there are no kinds"""
    relevant: str = ""
    """What alone may be relevant, in words; "" for every interaction"""
    weights: str = ""
    """What pairs of user and item weigh, in words; "" where all count alike"""
    filters: list[str] = field(default_factory=list)
    """What each filter left out, in words and in order"""
    features: list[str] = field(default_factory=list)
    """Tables of one's own items and users, and what their columns are, in words"""

    @property
    def is_whole(self) -> bool:
        """Whether no filter left anything out, and every interaction may be relevant."""
        return not self.filters and not self.relevant

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """In words, a subject a line."""
        lines = [
            f"{self.rows:,} rows read, {self.kept:,} kept{_reasons(self.dropped)}; "
            f"{self.repeated:,} repeat a pair of user and item",
            f"{self.users:,} users, {self.items:,} items, {self.density:.4%} of all pairs",
        ]
        lines += [f"filter: {each}" for each in self.filters]
        if self.events:
            lines.append("events: " + ", ".join(f"{count:,} {name}" for name, count in self.events.items()))
        if self.weights:
            lines.append(f"weights: {self.weights}")
        if self.relevant:
            lines.append(f"relevant: {self.relevant}")
        if self.candidates:
            lines.append(f"catalog: {self.candidates}; {self.learned:,} have a training interaction")
        if self.columns:
            used = ", ".join(f"{role} = {column}" for role, column in self.columns.items())
            lines.append(f"columns: {used}; not used: {', '.join(self.left_out) or 'none'}")
        lines += self.features
        if self.times:
            lines.append(
                f"times: {self.times}; from {self.first} to {self.last}; "
                f"{self.tied:.1%} share theirs with another row of the same user"
            )
        if self.memory:
            lines.append(
                f"sorted within {self.memory / 1e9:.1f} GB of memory; "
                f"{self.spilled / 1e9:.1f} GB lay on disk meanwhile"
            )
        begin = "".join(
            f"; {part} from {moment}"
            for part, moment in zip(("validation", "test"), self.begin, strict=False)
        )
        lines.append(f"protocol: {self.protocol}, {self.chosen}{begin}")
        return lines


def _reasons(dropped: dict[str, int]) -> str:
    listed = "; ".join(f"{count:,} {reason}" for reason, count in dropped.items())
    return f" (left out: {listed})" if listed else ""
