"""`python -m evaluation check`: a line for each promise kept, or one sentence and exit code 2."""

from pathlib import Path

import pytest

from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.testing.contract import promises
from tests.evaluation import sample_models

MODELS = Path(sample_models.__file__)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (f"{MODELS}:Popular", "Popular"),
        pytest.param("tests.evaluation.sample_models:Popular", "Popular", marks=pytest.mark.slow),
        pytest.param("global_hot", "global_hot", marks=pytest.mark.slow),
    ],
)
def test_each_promise_that_is_kept_is_a_line(spec, name, capfd, monkeypatch):
    monkeypatch.setattr(sample_models.Popular, "name", "Popular", raising=False)
    assert main(["check", spec]) == 0
    *lines, last = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("ranking")]
    model = sample_models.Popular if name == "Popular" else registry.get(name)
    assert lines == [f"kept  {promise}" for promise in promises(model)]
    assert last == f"{name} keeps the contract of Retriever in all {len(lines)} parts"


def test_the_first_that_is_broken_is_one_sentence(capfd):
    assert main(["check", f"{MODELS}:ForgetsToExclude"]) == 2
    said = capfd.readouterr()
    assert said.out.count("kept  ") == 2
    start = "error: ForgetsToExclude breaks the contract of Retriever: recommend for ordinary queries: "
    (sentence,) = said.err.splitlines()
    assert sentence.startswith(start) and sentence.endswith("; wanted: none of the query's `exclude`")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("global_hat", "unknown model 'global_hat': did you mean 'global_hot'"),
        ("nowhere.py:Mine", "nowhere.py:Mine: there is no file nowhere.py"),
        ("nowhere.py", "nowhere.py: give it as FILE.py:CLASS or package.module:CLASS"),
        (f"{MODELS}:NoDataclass", "NoDataclass: the class must be a @dataclass"),
    ],
)
def test_what_is_no_model_is_one_sentence(spec, sentence, capsys):
    assert main(["check", spec]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and sentence in line
