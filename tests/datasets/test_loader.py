"""Datasets by name: what is found, fetched, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load, loader
from retrieval_leaderboard.datasets.sources import download
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.written import write_lightgcn, write_log

pytestmark = pytest.mark.usefixtures("cache")


def test_found_under_its_name(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    dataset = load("gowalla", tmp_path)
    assert (dataset.name, dataset.title, dataset.protocol) == ("gowalla", "gowalla", "published")
    assert dataset.exclude_seen
    assert dataset.test.user.tolist() == [0, 1]
    assert "83 interactions, not the published 1,027,370" in dataset.notes
    assert load("gowalla", tmp_path, exclude_seen=False).fingerprint != dataset.fingerprint
    assert load("gowalla", tmp_path, split_seed=1).fingerprint != dataset.fingerprint


def test_unknown_dataset_names_the_nearest(tmp_path: Path):
    with pytest.raises(InputError, match="unknown dataset 'gowala': did you mean 'gowalla'"):
        load("gowala", tmp_path)


def test_protocol_a_dataset_does_not_have(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match="unknown protocol for gowalla 'time': known: published"):
        load("gowalla", tmp_path, protocol="time")


def test_a_carve_is_declared_or_asked_for(tmp_path: Path):
    users = [(user, range(user % 40, user % 40 + 10)) for user in range(1, 100)]
    test = [f"{user} {' '.join(map(str, rows))}" for user, rows in users]
    train = [
        f"{user} {' '.join(str(item) for item in range(50) if item not in rows)}" for user, rows in users
    ]
    train.append(f"0 {' '.join(map(str, range(50)))}")
    for name in ("gowalla", "amazon-cds"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.txt").write_text("\n".join(train))
        (tmp_path / name / "test.txt").write_text("\n".join(test))
    carves = {
        (name, carve): load(name, tmp_path, carve=carve).carve
        for name in ("gowalla", "amazon-cds")
        for carve in (None, "draw", "as-test")
    }
    assert carves == {
        ("gowalla", None): "block",
        ("gowalla", "draw"): "draw",
        ("gowalla", "as-test"): "block",
        ("amazon-cds", None): "draw",
        ("amazon-cds", "draw"): "draw",
        ("amazon-cds", "as-test"): "block",
    }


def test_a_carve_that_cannot_be_had(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match="unknown carve 'drawn': did you mean 'draw'"):
        load("gowalla", tmp_path, carve="drawn")
    with pytest.raises(
        InputError,
        match=r"--carve draw: that is for protocol published and given; leave it out for .*log\.csv",
    ):
        load(str(write_log(tmp_path / "log.csv")), tmp_path, carve="draw")


def test_an_order_of_ties_that_cannot_be_had(tmp_path: Path):
    log = write_log(tmp_path / "log.csv")
    with pytest.raises(InputError, match="unknown ties 'sources': did you mean 'source'"):
        load(str(log), protocol="next-item", ties="sources")
    wrong = "--ties source: protocol time does not ask for last events; choose next-item or .* by --protocol"
    with pytest.raises(InputError, match=wrong):
        load(str(log), ties="source")
    (tmp_path / "mine.yaml").write_text("interactions: log.csv\nties: source\n")
    with pytest.raises(InputError, match=rf"mine\.yaml, line 2: {wrong}"):
        load(tmp_path / "mine.yaml")
    assert load(tmp_path / "mine.yaml", ties="random").ties == ""
    with pytest.raises(
        InputError, match=r"--split-seed 1: with --ties source protocol next-item draws nothing"
    ):
        load(str(log), ties="source", protocol="next-item", split_seed=1)
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match=r"protocol published does not ask .*; leave it out for gowalla"):
        load("gowalla", tmp_path, ties="source")


def test_an_order_of_ties_is_told_where_there_are_some(tmp_path: Path):
    (tmp_path / "log.csv").write_text("user,item,timestamp\n" + "".join(f"u,{i},{i}\n" for i in range(9)))
    how = {"protocol": "leave-last-one", "ties": "source"}
    assert load(tmp_path / "log.csv", **how).ties == ""
    with (tmp_path / "log.csv").open("a") as log:
        log.write("u,9,8\nu,10,7\n")
    told = load(tmp_path / "log.csv", **how)
    assert told.ties == "source" and told.heading.endswith(
        "leave-last-one, ties as in the source, seen items excluded"
    )
    assert "1 interactions stand in the source behind a later one of their user" in " ".join(told.notes)


def test_options_that_do_not_belong(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match="--columns: that is for data of your own"):
        load("gowalla", tmp_path, columns={"user": "u"})
    with pytest.raises(InputError, match="--scale is for aliec-sim"):
        load("gowalla", tmp_path, scale=0.1)


def test_missing_files_say_where_they_were_looked_for_and_how_to_get_them(
    tmp_path: Path, offline: list[Path]
):
    with pytest.raises(InputError) as error:
        load("gowalla", tmp_path)
    assert str(tmp_path / "gowalla") in str(error.value)
    assert "get it manually" in str(error.value)
    assert offline == [tmp_path / "gowalla"]


def test_downloaded_once_into_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[Path] = []

    def fetch(name: str, files: Download, folder: Path) -> None:
        asked.append(folder)
        write_lightgcn(folder)

    monkeypatch.setattr(download, "fetch", fetch)
    first = load("yelp2018", tmp_path)
    assert load("yelp2018", tmp_path).fingerprint == first.fingerprint
    assert asked == [tmp_path / "yelp2018"]


def test_a_dataset_that_another_command_just_downloaded_is_not_downloaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: list[Path]
):
    @contextmanager
    def after_another(folder: Path, waiting: str) -> Iterator[None]:
        write_lightgcn(folder / "yelp2018")
        yield

    monkeypatch.setattr(loader, "locked", after_another)
    assert load("yelp2018", tmp_path).name == "yelp2018"
    assert offline == []


def test_downloaded_into_the_cache_where_the_data_folder_cannot_be_written(
    tmp_path: Path, cache: Path, offline: list[Path]
):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        load("yelp2018", tmp_path / "file" / "data")
    assert offline == [cache / "yelp2018"]
    write_lightgcn(cache / "yelp2018")
    assert load("yelp2018", tmp_path / "file" / "data").name == "yelp2018"


def test_only_files_of_names_of_their_own_may_lie_in_the_data_folder_itself(
    tmp_path: Path, offline: list[Path]
):
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).write_text("0 0 1\n")
    with pytest.raises(InputError, match="gowalla is not in"):
        load("gowalla", tmp_path)


@pytest.mark.parametrize(
    ("name", "queries", "excluded"),
    [("gowalla", 29858, True), ("ml-1m", 14990, False), ("ml-100k", 2220, False)],
)
def test_real_datasets_load_by_name(data_dir: Path, name: str, queries: int, excluded: bool):
    dataset = load(name, data_dir)
    assert abs(len(dataset.test) - queries) <= 40
    assert dataset.exclude_seen is excluded
    assert not any("not the published" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("name", "fingerprint", "carve"),
    [("gowalla", "fa3740b83efc", "block"), ("amazon-beauty", "f35d74064f27", "draw")],
)
def test_validation_of_the_stored_boards(data_dir: Path, name: str, fingerprint: str, carve: str):
    dataset = load(name, data_dir)
    assert (dataset.fingerprint, dataset.carve) == (fingerprint, carve)
    if carve == "block":
        assert load(name, data_dir, carve="draw").fingerprint != fingerprint
