"""What a dataset remembers of where it came from, so that it can be loaded again."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any

from retrieval_leaderboard import WORKSPACE
from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.asked import Asked


def source(asked: Asked, data_dir: Path, scale: float | None) -> dict[str, Any]:
    """Arguments of `load`, as JSON can hold them; {} for tables in memory, which it cannot.

    Paths of one's own are absolute; the folder of named datasets is told from the working folder of the
    suite, so that records which are passed on name no folder of this machine.
    """
    spec = asked.spec.within(Path.cwd())
    if not asked.name:
        given = spec.given()
        lists = (value for value in given.values() if isinstance(value, list))
        in_memory = any(values.is_frame(each) for value in lists for each in value)
        return {} if in_memory else given
    found = {"dataset": asked.name, "data_dir": os.path.relpath(data_dir, WORKSPACE)} | spec.given()
    return found if scale is None else found | {"scale": scale}
