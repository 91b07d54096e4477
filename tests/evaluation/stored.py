"""A run's record as the harness keeps it, for tests of what is read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.metrics.accuracy import METRICS
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource, _describe
from retrieval_leaderboard.evaluation.testing.planted import planted

COSTS = (
    "fit_seconds", "recommend_seconds", "queries_per_second", "peak_rss_mib", "peak_gpu_mib", "parameters",
    "threads",
)  # fmt: skip


def record(model: str, dataset: Dataset | None = None, **changed: Any) -> dict[str, Any]:
    """Of a run that is done, on planted data where no other is given; `changed` replaces what it says."""
    dataset = dataset or planted()
    job = Job(ModelSource(model), {}, 0, 20, "cpu", "fp32")
    said = job.identity(dataset) | {"dataset": _describe(dataset), "chosen": {"by": "defaults"}}
    said |= {"metrics": dict.fromkeys(METRICS, 0.5), "slices": [], "queries": len(dataset.test)}
    said |= dict.fromkeys(COSTS, 1) | {"processor": "one", "commit": "", "versions": {}}
    return said | {"status": "done", "date": "2026-01-01 00:00 UTC"} | changed


def keep(folder: Path, said: dict[str, Any]) -> Path:
    """Write `said` as a version without checksums did."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(said))
    return folder
