"""The example of docs/serving.md, by curl."""

import json
import shlex
import shutil
import subprocess

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.serving.http.app import create_app
from tests.evaluation.stored import keep, record
from tests.serving.running import running


def example():
    """The words of the command."""
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    (block,) = [each for each in page.split("\n\n") if each.startswith("    curl") and "filter" in each]
    return shlex.split(block.replace("\\\n", " "))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_filter_of_the_page(tmp_path):
    data = load("aliec-sim", tmp_path, scale=0.002)
    model = GlobalHot()
    model.fit(data.train_valid, None, 0)
    run = keep(tmp_path / "runs" / "global_hot-seed0", record("global_hot", data))
    model.save(run)
    bundle.write(run, data, tmp_path / "bundle")
    words = example()
    asked = json.loads(words[words.index("-d") + 1])
    with running(create_app(Recommender.open(tmp_path / "bundle"))) as port:
        words = [word.replace("8000", str(port)) for word in words]
        answer = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)
    features = data.train_valid.item_features
    category, price = features["cate_id"], features["price"].numbers
    code = {item: at for at, item in enumerate(data.item_ids)}
    assert len(answer["items"]) == asked["k"]
    for item in answer["items"]:
        assert category.vocabulary[category.codes[code[item]]] in asked["filter"]["cate_id"]
        assert asked["filter"]["price"]["min"] <= price[code[item]] <= asked["filter"]["price"]["max"]
