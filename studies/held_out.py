"""Defaults on datasets looked at after the rules were made, beside the best settings of a search there."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning import search, trial_records
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.spec import SearchSpec
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.evaluation.tuning.trial_records import TuningRecord
from retrieval_leaderboard.support import compute, markdown
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "held_out"
BOARDS = ROOT / "results"
DATASETS = ("yelp2018", "s3rec-beauty", "s3rec-sports", "s3rec-toys")
"""Looked at after most rules were made; docs/defaults.md tells what the looks changed"""
POPULARITY = "global_hot"
MODELS = (POPULARITY, "item_cf", "swing", "als")


@dataclass(frozen=True)
class HeldOut:
    """A model's NDCG@20 on the validation queries of a dataset, by defaults and after a search."""

    dataset: str
    """In words"""
    model: str
    defaults: float
    tuned: float | None
    """Of the best trial, of which the defaults are one; None where nothing was searched"""
    trials: int
    processor: str
    commit: str
    """"" of a board's search"""
    schema: int = 1


def measure(dataset: Dataset, model: str, trials: int) -> HeldOut:
    """Score the defaults, and search with as many `trials`; none where 0."""
    here, values = compute.configure(), settings.defaults(registry.get(model))
    job = Job(ModelSource(model), values, 0, 20, here.device, here.precision)
    ndcg = isolation.call(scored, job, dataset)["ndcg"]
    found = _searched(job, dataset, trials) if trials and model != POPULARITY else None
    best, tried = (None, 0) if found is None else (max(found[0], ndcg), found[1])  # A config's is rounded.
    machine, commit = environment.processor(), environment.git_commit()
    return HeldOut(DatasetSummary.of(dataset).heading, model, ndcg, best, tried, machine, commit)


def _searched(job: Job, dataset: Dataset, trials: int) -> tuple[float, int] | None:
    """The score of the best trial and how many there were in the time of so many fits."""
    with tempfile.TemporaryDirectory() as board:
        tuned = search.tune(SearchSpec(job, dataset), Path(board), Budget(fits=trials))
    if tuned is None or tuned.provenance.valid_ndcg is None:
        return None
    return tuned.provenance.valid_ndcg, tuned.provenance.trials


def measure_all(dataset: Dataset, models: list[str], trials: int) -> None:
    """Keep the scores of these models; of `MODELS` where none is named."""
    for model in models or MODELS:
        sealed.write(RECORDS / f"{dataset.name}-{model}.json", asdict(measure(dataset, model, trials)))


def read() -> list[HeldOut]:
    """Every score: as `measure` stored it, else of the first trial of a search by a budget of time; the best
    trial is that of such a search where a board has one, of several that of the best.
    """
    stored = [sealed.load(path, HeldOut) for path in sorted(RECORDS.glob("*.json"))]
    searches = [
        trial_records.load(path) for name in DATASETS for path in sorted(BOARDS.glob(f"{name}/tuning/*.json"))
    ]
    scores = {(each.dataset, each.model): each for each in stored}
    timed = [of_search(each) for each in searches if each.minutes is not None]
    for found in sorted(timed, key=lambda each: each.tuned or 0.0):
        key = found.dataset, found.model
        defaults = scores.get(key, found).defaults
        scores[key] = replace(found, defaults=defaults, tuned=max(found.tuned or 0.0, defaults))
    return [scores[key] for key in sorted(scores)]


def of_search(found: TuningRecord) -> HeldOut:
    """Of a search by a budget of time, whose first trial has the defaults."""
    defaults = found.trials[0].metrics["ndcg"]
    best = max(trial.metrics.get("ndcg", 0.0) for trial in found.trials)
    return HeldOut(found.dataset, found.model, defaults, best, len(found.trials), found.processor, "")


def table(scores: list[HeldOut]) -> str:
    """Defaults beside the best trial and popularity, as Markdown; a dash where nothing was searched."""
    popular = {each.dataset: each.defaults for each in scores if each.model == POPULARITY}
    lines = []
    for each in scores:
        if each.model == POPULARITY:
            continue
        tuned = ["–", "–", "–"]
        if each.tuned is not None:
            tuned = [f"{each.tuned:.4f}", f"{each.defaults / each.tuned:.1%}", str(each.trials)]
        lines.append(
            [each.dataset, each.model, f"{popular[each.dataset]:.4f}", f"{each.defaults:.4f}", *tuned]
        )
    return markdown.table(lines, ["dataset", "model", POPULARITY, "defaults", "tuned", "share", "trials"])
