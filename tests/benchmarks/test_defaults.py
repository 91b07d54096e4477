"""Defaults beside tuned settings: which searches count, where they began, and the share."""

import json
from types import SimpleNamespace

from benchmarks.defaults import page, searches, start
from evaluation import configs
from neural.infonce import InfoNCE


def search(model, *scores, **fixed):
    trials = [{"state": "complete", "ndcg": score} if score else {"state": "pruned"} for score in scores]
    return {"model": model, "fixed": fixed, "trials": trials}


def test_searches_whose_winner_the_config_holds(tmp_path):
    folder = tmp_path / "results" / "mine" / "tuning"
    folder.mkdir(parents=True)
    kept = [search("als", 0.1, 0.0, 0.12345678), search("als", 0.2), search("swing", 0.3)]
    for at, each in enumerate(kept):
        (folder / f"{at}.json").write_text(json.dumps(each))
    choice = configs.Choice({}, configs.Chosen("tuning", trials=3, valid_ndcg=0.123457))
    configs.write(tmp_path / "configs" / "mine.yaml", "random", "als", choice)
    data = SimpleNamespace(name="mine", protocol="random", exclude_seen=True)
    assert list(searches(data, tmp_path)) == kept[:1]


def test_a_search_began_with_defaults_and_its_own_epochs():
    began = start(search("infonce", 0.1, epochs=30, embedding_dim=8))
    assert began["epochs"] == 30
    assert began["embedding_dim"] == InfoNCE.embedding_dim and began["temperature"] == InfoNCE.temperature


def test_page():
    record = {"dataset": "mine: random, seen items excluded", "tuned": 0.1}
    records = [
        record | {"model": "als", "ndcg": 0.091, "trials": 30},
        record | {"model": "swing", "ndcg": 0.0899, "trials": 5},
    ]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page(records).splitlines()]
    assert [row[1:] for row in cells if row[0].startswith("mine")] == [
        ["als", "0.0910", "0.1000", "91.0%", "yes", "30"],
        ["swing", "0.0899", "0.1000", "89.9%", "no", "5"],
    ]
