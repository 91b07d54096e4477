"""How long each phase of preparing takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from retrieval_leaderboard.support import progress


@dataclass(frozen=True)
class Phases:
    """Seconds of named phases, in the order in which they ended."""

    label: str
    """What is prepared, for progress"""
    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    """Of all threads of this process"""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Within, the phase `name` goes on."""
        progress.say(f"{self.label}: {name}")
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = round(time.perf_counter() - wall, 3)
        self.cpu[name] = round(time.process_time() - cpu, 3)

    def as_json(self) -> dict[str, dict[str, float]]:
        """For a manifest."""
        return {"seconds": self.wall, "cpu_seconds": self.cpu}
