"""Records of earlier versions: what they say is read under today's names, or a sentence says why not."""

import json
from dataclasses import asdict

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.runs import migrations, records
from retrieval_leaderboard.evaluation.tuning import trial_records
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.stored import RESULT, SUMMARY


@pytest.fixture(autouse=True)
def nothing_told_before():
    progress.warn_once.cache_clear()


def old(model="bsl", settings=None, dataset=(), **more):
    """A record of version 1, as its harness kept it before it had checksums."""
    about = {key: value for key, value in asdict(SUMMARY).items() if key not in ("carve", "profile")}
    costs = {key: value for key, value in asdict(RESULT.costs).items() if key != "cores_elsewhere"}
    return {
        "fingerprint": "f", "k": 20, "model": model, "code": "", "settings": settings or {}, "seed": 0,
        "device": "cpu", "precision": "fp32", "dataset": about | dict(dataset), "chosen": {"by": "hand"},
        "metrics": RESULT.metrics, "slices": [], "queries": 48, **costs, "status": "done",
        "date": "2026-01-01 00:00 UTC",
    } | more  # fmt: skip


def read(tmp_path, said):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(said))
    return records.read(folder)


@pytest.mark.parametrize(
    ("model", "before", "after"),
    [
        ("bsl", {"rows": "position", "temperature": 0.0}, {"examples": "interaction", "temperature": "auto"}),
        ("bsl", {"batch_rows": 9, "neighbours": -1}, {"batch_size": 9, "neighbors": "auto"}),
        ("bsl", {"negative_weight": 0, "epochs": 3}, {"negative_weight": "auto", "epochs": 3}),
        ("dssm_bce", {"negative_weight": 0.0}, {"negative_weight": 0.0}),
        ("infonce", {"history_encoder": "placed", "clip_norm": 10.0},
         {"history_encoder": "position_weighted"}),
        ("als", {"factors": 0, "alpha": 0.0}, {"factors": "auto", "alpha": 0.0}),
        ("swing", {"top_k": 0, "last_n": 0}, {"top_k": "auto", "last_n": 0}),
        ("item_cf", {"kept_for": "target", "target_exponent": -1.0},
         {"prune_axis": "target", "target_exponent": "auto"}),
        ("mine", {"rows": 3, "epochs": 0}, {"rows": 3, "epochs": 0}),
    ],
)  # fmt: skip
def test_settings(model, before, after):
    assert migrations.settings(model, before) == after
    assert list(migrations.settings(model, before)) == list(after), "in the same order"


@pytest.mark.parametrize("code", ["", "ab12"])
def test_records_of_a_plug_in_of_this_project_say_where_it_is(tmp_path, code):
    found = read(tmp_path, old("category_hot", code=code)).plugin
    assert found == ("studies/category_hot.py:CategoryHot" if code else "")


def test_a_setting_that_is_gone_and_was_used_is_one_sentence(tmp_path, capsys):
    said = old(settings={"rows": "user", "hard_refresh": 3})
    assert read(tmp_path, said) is None
    told = capsys.readouterr().err
    assert "it was made with hard_refresh=3, and bsl has no setting hard_refresh any more; it is left" in told
    with pytest.raises(InputError, match="project"):
        migrations.settings("infonce", {"project": True})


ENOUGH = {"users": 10, "train_valid_interactions": 150}


@pytest.mark.parametrize(
    ("settings", "about", "more", "propagates", "idle"),
    [
        ({"neighbors": 20, "rows": "auto"}, {}, {}, True, ()),
        ({"neighbors": -1, "rows": "auto"}, ENOUGH, {}, True, ()),
        ({"neighbors": -1, "rows": "auto"}, {"users": 11, "train_valid_interactions": 150}, {}, False, ()),
        ({"neighbors": -1, "rows": "auto"}, ENOUGH | {"protocol": "next-item"}, {}, False, ()),
        ({"neighbors": -1, "rows": "position"}, ENOUGH, {}, False, ()),
        ({"neighbors": -1, "rows": "auto"}, ENOUGH, {"propagates": False}, False, ()),
        ({"recency": 0.5}, {}, {}, False, ("recency",)),
        ({"recency": 0.5}, {"protocol": "next-item"}, {}, False, ()),
        ({"recency": 0.5}, {}, {"without_effect": []}, False, ()),
        ({"recency": 0.5}, {}, {"code": "ab12"}, False, ()),
        ({"recency": 0.5, "rows": "auto"}, {"protocol": "time"}, {}, False, ("recency",)),
    ],
)  # fmt: skip
def test_what_records_did_not_say_at_first(tmp_path, settings, about, more, propagates, idle):
    found = read(tmp_path, old(settings=settings, dataset={"protocol": "published"} | about, **more)).measured
    assert (found.propagates, found.without_effect) == (propagates, idle)


@pytest.mark.parametrize(
    ("about", "carve"),
    [
        ({"protocol": "published", "notes": ["83 interactions, not the published 100"]}, "draw"),
        ({"protocol": "published", "notes": ["the source's test rows lie together: it is one"]}, "block"),
        ({"protocol": "random"}, "draw"),
        ({"protocol": "time"}, ""),
        ({"protocol": "published", "carve": "stretch"}, "block"),
        ({"protocol": "published", "carve": "block"}, "block"),
        ({"protocol": "next-item", "carve": ""}, ""),
    ],
)
def test_how_validation_was_carved(tmp_path, about, carve):
    assert read(tmp_path, old(dataset=about)).dataset.carve == carve


def test_figures_that_records_did_not_have_at_first(tmp_path):
    slices = [{"slice": "history 0", "queries": 3, "recall": 0.25, "ndcg": 0.125}]
    found = read(tmp_path, old(slices=slices, parameters=0))
    (part,) = found.measured.slices
    assert (part.slice, part.listed, part.metrics) == ("cold users", None, {"recall": 0.25, "ndcg": 0.125})
    assert found.costs.parameters is None and found.costs.cores_elsewhere == 0.0
    assert found.resolved is None and found.schema == 2


def test_settings_of_other_data_and_a_run_that_failed(tmp_path):
    said = old(
        chosen={"by": "tuning", "trials": 3, "note": "chosen on other data"}, status="failed", reason="no"
    )
    found = read(tmp_path, said)
    assert found.provenance.brief == "tuned, 3 trials, other data" and found.provenance.note == ""
    assert found.reason == "no" and not found.is_done


def test_digests_need_a_checksum(tmp_path, capsys):
    assert read(tmp_path, old(files={"lists.npz": "0"})) is None
    assert "it has no checksum" in capsys.readouterr().err


def test_what_was_written_by_this_version_is_not_changed(tmp_path):
    found = read(tmp_path, old())
    records.change(tmp_path / "run", found)
    assert records.read(tmp_path / "run") == found


def test_every_copy_of_trials_that_ships_is_read():
    paths = list((ROOT / "results").glob("*/tuning/*.json"))
    found = [trial_records.load(path) for path in paths]
    assert found and all(trial.seconds >= 0 for each in found for trial in each.trials)
    assert {trial.state for each in found for trial in each.trials} <= {"complete", "pruned", "fail"}
