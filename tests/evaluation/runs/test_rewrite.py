"""Records written anew: names follow from content, numbers stay, and a second time changes nothing."""

import json
from dataclasses import fields, replace

from retrieval_leaderboard.evaluation.runs import records, rewrite
from retrieval_leaderboard.evaluation.runs.record import Identity
from retrieval_leaderboard.support import progress
from tests.evaluation.runs.test_migrations import old
from tests.evaluation.stored import keep, record


def stored(folder, said):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(said))
    (folder / "lists.npz").write_bytes(b"lists")
    return folder


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_runs_get_the_names_that_follow_from_what_they_are(tmp_path):
    stored(tmp_path / "runs" / "bsl-seed0-0123456789", old(settings={"rows": "user", "epochs": 0}))
    before = records.of_board(tmp_path)
    assert rewrite.runs(tmp_path) == 1
    ((folder, after),) = records.of_board(tmp_path).items()
    assert [after] == list(before.values()) and after.settings == {"examples": "user", "epochs": "auto"}
    assert folder.name == after.stem and (folder / "lists.npz").read_bytes() == b"lists"
    whole = contents(tmp_path)
    assert rewrite.runs(tmp_path) == 1 and contents(tmp_path) == whole


def test_digests_of_the_files_beside_a_record_stay(tmp_path):
    folder = tmp_path / "runs" / "elsewhere"
    folder.mkdir(parents=True)
    (folder / "lists.npz").write_bytes(b"lists")
    records.write(folder, record())
    files = records.read(folder).files
    rewrite.runs(tmp_path)
    ((folder, found),) = records.of_board(tmp_path).items()
    assert found.files == files and records.is_whole(folder, found)


def test_two_that_come_to_the_same_are_named_and_kept(tmp_path, capsys):
    progress.warn_once.cache_clear()
    for name in ("a", "b"):
        keep(tmp_path / "runs" / name, replace(record(), commit=name))
    assert rewrite.runs(tmp_path) == 1
    assert {each.commit for each in records.of_board(tmp_path).values()} == {"a", "b"}
    assert "is there already: remove one of them" in capsys.readouterr().err


def test_scores_of_studies(tmp_path):
    stored = old(settings={"rows": "user"})
    said = {each.name: stored[each.name] for each in fields(Identity) if each.name in stored}
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "mine-bsl-seed0-0123456789.json").write_text(json.dumps(said | {"ndcg": 0.5}))
    assert rewrite.scores(tmp_path / "scores") == 1
    (path,) = (tmp_path / "scores").iterdir()
    content = json.loads(path.read_text())
    assert (content["settings"], content["ndcg"], content["schema"]) == ({"examples": "user"}, 0.5, 2)
    assert path.name.startswith("mine-bsl-seed0-") and "0123456789" not in path.name


def test_records_of_another_kind_stay(tmp_path):
    path = tmp_path / "limits.json"
    path.write_text(json.dumps({"phase": "splitting", "rows": 5}))
    before = path.read_bytes()
    assert rewrite.scores(tmp_path) == 0 and path.read_bytes() == before


def test_scores_that_come_to_the_same_are_named_and_kept(tmp_path, capsys):
    progress.warn_once.cache_clear()
    stored = old(settings={"rows": "user"})
    said = {each.name: stored[each.name] for each in fields(Identity) if each.name in stored}
    for name, ndcg in (("mine-bsl-seed0-0123456789", 0.5), ("mine-bsl-seed0-1123456789", 0.6)):
        (tmp_path / f"{name}.json").write_text(json.dumps(said | {"ndcg": ndcg}))
    assert rewrite.scores(tmp_path) == 1
    assert {json.loads(path.read_text())["ndcg"] for path in tmp_path.iterdir()} == {0.5, 0.6}
    assert "is there already: remove one of them" in capsys.readouterr().err
