"""What one library did with one piece of work, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from retrieval_leaderboard.support.storage import sealed


@dataclass(frozen=True)
class PeerRecord:
    """Costs and metrics of a library, or the reason why it has none."""

    dataset: str
    work: str
    library: str
    processor: str
    date: str
    left_out: str = ""
    """Why it was not measured; all that follows says nothing then"""
    fit_seconds: float = 0.0
    rank_seconds: float = 0.0
    peak_mib: float = 0.0
    children_mib: float = 0.0
    """Of the largest process that it ranks in; 0 where it ranks in its own"""
    recall: float = 0.0
    ndcg: float = 0.0
    cores_elsewhere: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    said: dict[str, float] = field(default_factory=dict)
    """Its own figures, where it gives any"""
    schema: int = 1


def load_all(folder: Path) -> list[PeerRecord]:
    """All that `write` wrote into `folder`; DamagedError or OSError as `sealed.load`."""
    return [sealed.load(path, PeerRecord) for path in sorted(folder.glob("*.json"))]


def write(folder: Path, record: PeerRecord) -> None:
    """Keep it under a name of its own."""
    sealed.write(folder / f"{record.dataset}-{record.work}-{record.library}.json", asdict(record))
