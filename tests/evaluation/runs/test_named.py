"""Options that name runs take folders and patterns."""

import argparse

import pytest

from retrieval_leaderboard.evaluation.runs import named
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def runs(tmp_path):
    for name in ("als-seed0", "als-seed1", "swing-seed0", "odd[0]"):
        (tmp_path / name).mkdir()
    return tmp_path


def one(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=named.folder, nargs="+", action=named.One)
    return parser.parse_args(["--run", *map(str, words)]).run


def test_patterns_become_what_they_match_once(runs):
    found = named.folders([runs / "als-*", runs / "als-seed1", runs / "gone"], "--run")
    assert found == [runs / "als-seed0", runs / "als-seed1", runs / "gone"]


def test_patterns_leave_out_what_an_interrupted_run_left(runs):
    (runs / ".tmp-3601be4e").mkdir()
    found = named.folders([runs / "*"], "--run")
    assert found and not [path for path in found if path.name.startswith(".")]


def test_relative_patterns_stay_relative(runs, monkeypatch):
    monkeypatch.chdir(runs)
    assert [str(each) for each in named.folders([named.folder("swing*")], "--run")] == ["swing-seed0"]


def test_a_folder_with_brackets_in_its_name_is_itself(runs):
    assert named.folders([runs / "odd[0]"], "--run") == [runs / "odd[0]"]


def test_a_pattern_without_a_match_is_refused(runs):
    with pytest.raises(InputError, match=r"--run .*/ease-\* matches nothing"):
        named.folders([runs / "ease-*"], "--run")


@pytest.mark.parametrize("given", ["", "runs"])
def test_of_a_folder_of_runs_one_of_them_is_named(given, tmp_path):
    for name in ("als-seed0-1a", "swing-seed0-2b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.json").write_text("{}")
    first = tmp_path / "runs" / "als-seed0"
    told = f"it holds 2: give one, such as {first}-1a, or a pattern, such as '{first}-*'"
    assert named.instead_of(tmp_path / given) == told
    assert named.instead_of(tmp_path / "runs" / "als-seed0-1a") == f"give {named.A_RUN}"
    assert named.instead_of(tmp_path / "gone") == f"give {named.A_RUN}"


def test_one_folder_is_taken_and_several_are_named(runs):
    assert one(runs / "swing-*") == runs / "swing-seed0"
    with pytest.raises(InputError, match=r"takes one folder and got 2: give one of .*als-seed0, .*als-seed1"):
        one(runs / "als-*")
    with pytest.raises(SystemExit):
        one("")
