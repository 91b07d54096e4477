"""The notebook from a log to a service, on a small log."""

import json

import nbformat
import pytest

from retrieval_leaderboard.notebooks import execute
from tests.notebooks.outputs import printed, shown

MODELS = ["--models", "global_hot,item_cf"]


@pytest.mark.slow
def test_from_a_log_to_an_answer(opened, place):
    clicks = [
        f"u{user},i{(user * at) % 23},{1000 * at + user}" for at in range(1, 12) for user in range(1, 60)
    ]
    (place / "input" / "my-data").mkdir()
    (place / "input" / "my-data" / "visits.csv").write_text("\n".join(["who,what,when", *clicks]))
    columns = {"user": "who", "item": "what", "timestamp": "when"}
    done = opened("own_log_kaggle", LOG="visits.csv", COLUMNS=columns, MODELS=MODELS).execute()
    assert printed(done, "log").startswith("visits.csv\n{'who': 'u1', 'what': 'i1', 'when': '1001'}")
    (board,) = shown(done, "board", "text/markdown")
    assert "**Verdict:** **item_cf** leads" in board
    assert len(shown(done, "board", "image/svg+xml")) == 1
    assert "run: item_cf-seed0-" in printed(done, "bundle") and "items of item_cf" in printed(done, "bundle")
    query = json.loads(printed(done, "query"))
    assert query["answer"]["model"] == "item_cf" and len(query["answer"]["items"]) == 5
    assert not {*query["answer"]["items"]} & {*query["history"]}
    assert (place / "working" / "bundle").is_dir()


@pytest.mark.slow
def test_when_the_time_is_up_it_says_how_to_go_on_and_bundles_nothing(opened, place):
    done = opened("own_log_kaggle", MODELS=MODELS, HOURS=0.0001).execute()
    said = printed(done, "run")
    assert said.startswith("beginning anew")
    assert "THE TIME IS UP. To go on, see 'When the time ran out'" in said
    assert printed(done, "board") == "no board yet: no run has finished\n"
    assert not (place / "working" / "bundle").exists()
    assert done.cells[-1].source.startswith("## When the time ran out")


def test_a_log_that_is_not_attached_is_named(session):
    notebook = nbformat.read(execute.FOLDER / "own_log_kaggle.ipynb", as_version=4)
    (source,) = [cell.source for cell in notebook.cells if cell["id"] == "log"]
    with pytest.raises(SystemExit, match=r"visits\.csv is not among the inputs: attach it, or correct LOG"):
        exec(source, {"LOG": "visits.csv", "session": session})
