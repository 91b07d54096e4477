"""A run's record as the harness keeps it, for tests of what is read again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.metrics.registry import PER_QUERY
from retrieval_leaderboard.evaluation.metrics.slices import Slice
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import Costs, DatasetSummary, Result, RunRecord
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource

COSTS = Costs(1.0, 1.0, 1.0, 1.0, 0.0, 1, 0.0, 1, "one")
RESULT = Result(dict.fromkeys(PER_QUERY, 0.5), (), COSTS, False, False, ())
SUMMARY = DatasetSummary.of(planted())


def named(kind: type) -> set[str]:
    """The fields of a dataclass."""
    return {field.name for field in fields(kind)}


def record(model: str = "any", dataset: Dataset | None = None, **changed: Any) -> RunRecord:
    """Of a run that is done, on planted data where no other is given.

    Args:
        model: its name.
        dataset: what it is about.
        changed: fields of `RunRecord`, `Result`, `Costs` or `DatasetSummary`, or `by` and `trials` of its
            provenance, `ndcg` for every metric, or a `reason` why it failed.
    """
    job = Job(ModelSource("any"), {}, 0, 20, "cpu", "fp32")
    about = DatasetSummary.of(dataset) if dataset else SUMMARY
    if "ndcg" in changed:
        changed["metrics"] = dict.fromkeys(PER_QUERY, changed.pop("ndcg"))

    def of(kind: type) -> dict[str, Any]:
        return {key: changed.pop(key) for key in list(changed) if key in named(kind)}

    whole = of(RunRecord)
    costs = replace(COSTS, **of(Costs))
    result = replace(RESULT, costs=costs, **of(Result))
    provenance = Provenance(**of(Provenance))
    found = RunRecord(
        **(job.identity(dataset or planted()).key | {"model": model}),
        dataset=replace(about, **of(DatasetSummary)),
        provenance=provenance,
        result=None if "reason" in whole else result,
        date="2026-01-01 00:00 UTC",
    )
    assert not changed, changed
    return replace(found, **whole)


def part(name: str, queries: int = 10, recall: float = 0.25, **more: Any) -> Slice:
    """A slice of a record; `more` are its other fields."""
    metrics = {"recall": recall, "ndcg": recall / 2} if queries else {}
    return Slice(name, queries, **({"metrics": metrics} | more))


def keep(folder: Path, said: RunRecord) -> Path:
    """Write `said` as the record of the run in `folder`."""
    folder.mkdir(parents=True)
    records.write(folder, said)
    return folder
