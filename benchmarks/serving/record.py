"""What `python -m benchmarks.serving load`, `memory` and `security` measured, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from retrieval_leaderboard.support.storage import sealed


@dataclass(frozen=True)
class LoadRecord:
    """Answer times of a bundle under concurrent requests."""

    dataset: str
    model: str
    index: str
    items: int
    requests: int
    concurrency: int
    errors: int
    p50_ms: float | None
    """None where no request was answered"""
    p99_ms: float | None
    requests_per_second: float
    date: str
    processor: str
    cores: int
    cores_elsewhere: float
    commit: str
    cpu_ms: float | None = None
    """The server's time on the processor for one request; None where the system does not tell it"""
    echo_cpu_ms: float | None = None
    """The same of a bare FastAPI service that gives the body back, asked by the same client in turn"""
    schema: int = 1

    @property
    def echo_ratio(self) -> float | None:
        """How many times the processor time of an echo a request takes; None where it was not measured."""
        return self.cpu_ms / self.echo_cpu_ms if self.cpu_ms and self.echo_cpu_ms else None


@dataclass(frozen=True)
class Tried:
    """What one kind of hostile client came to."""

    kind: str
    tries: int
    held: int
    """how often what followed was right"""
    right: str
    """what that is"""


@dataclass(frozen=True)
class SecurityRecord:
    """All kinds of hostile clients against one service."""

    rows: list[Tried]
    seed: int
    seconds: int
    date: str
    processor: str
    cores: int
    commit: str
    schema: int = 1

    @property
    def broken(self) -> list[Tried]:
        """The kinds after which not everything was right."""
        return [row for row in self.rows if row.held < row.tries]


@dataclass(frozen=True)
class Memory:
    """What a service of so many processes takes."""

    processes: int
    proportional_mib: int
    """of all together: a page that several of them have counts once (PSS)"""
    resident_mib: int
    """the same, where such a page counts for each (RSS)"""


@dataclass(frozen=True)
class MemoryRecord:
    """The memory of one bundle's service by the number of its processes."""

    rows: list[Memory]
    dataset: str
    model: str
    index: str
    items: int
    files_mib: int
    """of the model's files and the index, which are mapped"""
    date: str
    commit: str
    schema: int = 1


def load_all(folder: Path) -> list[LoadRecord]:
    """All that `write` wrote into `folder`; DamagedError or OSError as `sealed.load`."""
    return [sealed.load(path, LoadRecord) for path in sorted(folder.glob("*.json"))]


def write(path: Path, record: LoadRecord | MemoryRecord | SecurityRecord) -> None:
    """Keep it."""
    sealed.write(path, asdict(record))
