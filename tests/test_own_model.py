"""The template of docs/own-model.md is a model: it keeps the contract, learns, is saved and tuned."""

import re

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.search import tune
from retrieval_leaderboard.evaluation.tuning.spec import SearchSpec

PAGE = (ROOT / "docs" / "own-model.md").read_text(encoding="utf-8")
(TEMPLATE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "my_bpr.py"
    path.write_text(TEMPLATE)
    return ModelSource("my_bpr", f"{path}:MyBPR")


def test_it_is_short_and_named_as_its_page_says(source):
    assert len(TEMPLATE.strip().splitlines()) < 45
    model = source.load()
    assert PAGE.count(f"--model {model.name}.py:{model.__name__}") == 1


def test_it_keeps_the_contract(source):
    check_model(source.load())


def test_it_ranks_what_it_learned_and_as_before_once_loaded(source, tmp_path):
    data, model = planted(), source.load()(epochs=200)
    harness.fit(model, data, seed=0)
    assert harness.evaluate(model, data, k=2).metrics["recall"] > 0.9
    model.save(tmp_path)
    loaded = source.load().load(tmp_path)
    for before, after in zip(model.recommend(data.test, 5), loaded.recommend(data.test, 5), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
def test_its_settings_are_searched(source, tmp_path):
    job = Job(source, settings.defaults(source.load()), 0, 20, "cpu", "fp32")
    spec = SearchSpec(job, planted())
    assert set(spec.space()) == {"dim", "learning_rate"}
    choice = tune(spec, tmp_path, Budget(fits=1))
    assert choice.provenance.trials == 1 and choice.provenance.valid_ndcg > 0
