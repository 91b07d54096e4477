"""Searches of a sample model on planted data, small enough for tests."""

import json
from pathlib import Path

from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.search import tune
from retrieval_leaderboard.evaluation.tuning.spec import SearchSpec

DATA = planted()
SAMPLES = Path(__file__).parents[1] / "sample_models.py"


def source(model):
    return ModelSource(model, f"{SAMPLES}:{model}")


SOURCE = source("Tunable")


def asked(data=DATA, given=(), of=SOURCE, **changed):
    chosen = settings.resolve(of.load(), changed, "here")
    return SearchSpec(Job(of, chosen, 0, 20, "cpu", "fp32"), data, frozenset(given))


def tuned(question, folder, trials, anew=False):
    return tune(question, folder, Budget(fits=trials), anew)


def written(folder):
    """Each trial that was written down, without its time."""
    (record,) = (folder / "tuning").glob("*.json")
    trials = json.loads(record.read_text())["trials"]
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in trials]
