"""Datasets by name or path: what is found, fetched, stood in for, or refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import load, loader
from retrieval_leaderboard.datasets.sources import download
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.listing import listing
from retrieval_leaderboard.support.errors import InputError

TRAIN = "\n".join(" ".join(map(str, [user, *range(user, user + 10)])) for user in range(8))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("RETRIEVAL_CACHE", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that downloads were asked for; none succeeds."""
    asked: list[Path] = []

    def fetch(name: str, files: Download, folder: Path) -> None:
        asked.append(folder)
        raise InputError(f"{name} could not be downloaded; get it manually")

    monkeypatch.setattr(download, "fetch", fetch)
    return asked


def write_lightgcn(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text(TRAIN)
    (folder / "test.txt").write_text("0 12 13\n1 0\n")


def write_log(path: Path, timed: bool = True) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"u{user},i{item}" + f",{when}" * timed for user, item, when in rng.integers(0, 20, (300, 3))]
    path.write_text("user,item" + ",timestamp" * timed + "\n" + "\n".join(lines) + "\n")
    return path


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
        InputError, match=r"carve draw: that is for protocol published and given; leave it out for .*log\.csv"
    ):
        load(str(write_log(tmp_path / "log.csv")), tmp_path, carve="draw")


def test_options_that_do_not_belong(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match="--columns: that is for data of your own"):
        load("gowalla", tmp_path, columns={"user": "u"})
    with pytest.raises(InputError, match="a scale is for aliec-sim"):
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


# a file of one's own


def test_own_file_with_times_is_split_by_time(tmp_path: Path):
    dataset = load(str(write_log(tmp_path / "my log.csv")), tmp_path)
    assert (dataset.name, dataset.title, dataset.protocol) == ("my-log", "my log.csv", "time")
    for protocol in ("next-item", "cold-items", "leave-last-one", "random"):
        assert load(str(tmp_path / "my log.csv"), tmp_path, protocol=protocol).protocol == protocol
    for protocol in ("next-item", "cold-items"):
        assert not load(str(tmp_path / "my log.csv"), tmp_path, protocol=protocol).exclude_seen


def test_own_file_without_times_is_split_at_random(tmp_path: Path):
    path = str(write_log(tmp_path / "log.csv", timed=False))
    dataset = load(path, tmp_path)
    assert dataset.protocol == "random"
    assert load(path, tmp_path, split_seed=1).fingerprint != dataset.fingerprint
    with pytest.raises(InputError, match="needs a timestamp column"):
        load(path, tmp_path, protocol="time")


def test_own_file_takes_no_known_name(tmp_path: Path):
    assert load(str(write_log(tmp_path / "Gowalla.csv")), tmp_path).name == "Gowalla-own"
    assert load(str(write_log(tmp_path / "aliec.csv")), tmp_path).name == "aliec-own"


def test_own_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="there is no such file"):
        load("absent.csv", tmp_path)
    with pytest.raises(InputError, match="ends in"):
        load(str(tmp_path / "gowalla"), tmp_path)


@pytest.mark.parametrize("option", [{"time_format": "s"}, {"min_rating": 0.0}, {"drop_incomplete": True}])
def test_how_to_read_a_file_is_not_for_a_known_dataset(tmp_path: Path, option: dict):
    write_lightgcn(tmp_path / "gowalla")
    with pytest.raises(InputError, match="that is for data of your own; leave it out for gowalla"):
        load("gowalla", tmp_path, **option)


def write_rated(path: Path) -> str:
    """20 users with 10 items each, seen second by second; every other has rating 1, the others 0."""
    lines = [
        f"u{user},i{(user + step * 3) % 40},{1_600_000_000 + step},{step % 2}"
        for user in range(20)
        for step in range(10)
    ]
    path.write_text("user,item,time,weight\n" + "\n".join(lines) + "\n")
    return str(path)


def test_a_rating_that_is_given_is_used_or_refused(tmp_path: Path):
    path = write_rated(tmp_path / "log.csv")
    for protocol in (None, "time", "leave-last-one", "random"):
        with pytest.raises(
            InputError, match=r"rating=weight: .* counts every row alike; give --min-rating X"
        ):
            load(path, tmp_path, protocol=protocol, columns={"rating": "weight"})
        dataset = load(path, tmp_path, protocol=protocol, columns={"rating": "weight"}, min_rating=1)
        assert dataset.profile is not None
        assert (dataset.profile.rows, dataset.profile.kept) == (200, 100)
    with pytest.raises(InputError, match=r"rating above 2 .--min-rating draws another line"):
        load(path, tmp_path, protocol="next-item", columns={"rating": "weight"})
    asked = load(path, tmp_path, protocol="next-item", columns={"rating": "weight"}, min_rating=1)
    assert len(asked.test) == 3 * 20, "no other line is drawn"


def test_seconds_and_milliseconds_are_the_same_dataset(tmp_path: Path):
    text = write_log(tmp_path / "log.csv").read_text().splitlines()
    rows = [line.split(",") for line in text[1:]]
    prints = set()
    for unit in (1, 1000, 10**6, 10**9):
        lines = [f"{user},{item},{(1_577_836_800 + 3600 * int(when)) * unit}" for user, item, when in rows]
        (tmp_path / "log.csv").write_text("\n".join([text[0], *lines]))
        dataset = load(str(tmp_path / "log.csv"), tmp_path)
        assert dataset.train.timestamp is not None
        assert dataset.train.timestamp.min() == 1_577_836_800
        prints.add(dataset.fingerprint)
    assert len(prints) == 1


def test_the_last_event_below_a_second_is_the_test(tmp_path: Path):
    (tmp_path / "log.csv").write_text(
        "user,item,time\n1,c,1600000000.9\n1,a,1600000000.1\n1,b,1600000000.5\n"
    )
    for seed in range(5):
        dataset = load(str(tmp_path / "log.csv"), tmp_path, protocol="leave-last-one", split_seed=seed)
        assert dataset.item_ids[dataset.test.relevant[0]].tolist() == ["c"]


def test_times_that_cannot_be_read_stop_only_what_needs_them(tmp_path: Path):
    path = str(write_log(tmp_path / "log.csv"))
    (tmp_path / "log.csv").write_text((tmp_path / "log.csv").read_text() + "u1,i1,\n")
    with pytest.raises(InputError, match="'timestamp' is missing"):
        load(path, tmp_path)
    dataset = load(path, tmp_path, protocol="random")
    assert dataset.train.timestamp is None
    assert any("column 'timestamp' is left out" in note for note in dataset.notes)
    assert load(path, tmp_path, columns={"timestamp": ""}).protocol == "random"


# aliec and its stand-in


def test_aliec_sim_is_made_once_and_kept_in_the_cache(tmp_path: Path, cache: Path, offline: list[Path]):
    dataset = load("aliec-sim", tmp_path, scale=0.002)
    assert (dataset.name, dataset.protocol, dataset.synthetic) == ("aliec-sim", "time", True)
    assert "0.002" in dataset.title
    made = [path for path in (cache / "aliec-sim").iterdir() if path.name.startswith("scale-0.002-seed-0-v")]
    assert len(made) == 1
    stamp = (made[0] / "raw_sample.csv").stat().st_mtime_ns
    assert load("aliec-sim", tmp_path, scale=0.002).fingerprint == dataset.fingerprint
    assert (made[0] / "raw_sample.csv").stat().st_mtime_ns == stamp
    assert load("aliec-sim", tmp_path, scale=0.003).fingerprint != dataset.fingerprint
    assert offline == []


@pytest.mark.parametrize("file", ["raw_sample.csv", "GENERATED.json", "SHA256SUMS"])
@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_aliec_sim_that_is_damaged_in_the_cache_is_made_anew(
    tmp_path: Path, cache: Path, file: str, damage: str, capsys: pytest.CaptureFixture[str]
):
    right = load("aliec-sim", tmp_path, scale=0.001)
    (path,) = (cache / "aliec-sim").glob(f"*/{file}")
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content.replace(b"1", b"3", 1))
    capsys.readouterr()
    again = load("aliec-sim", tmp_path, scale=0.001)
    assert (again.fingerprint, again.title) == (right.fingerprint, right.title)
    assert path.read_bytes() == content
    assert capsys.readouterr().out.count("it is made anew") == 1


def test_aliec_sim_in_the_data_folder_is_used(tmp_path: Path, cache: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    simulator.generate(tmp_path / "aliec-sim", 0.002)
    assert (
        load("aliec-sim", tmp_path).fingerprint == load("aliec-sim", tmp_path / "no", scale=0.002).fingerprint
    )
    assert len(list((cache / "aliec-sim").iterdir())) == 1


def test_the_stand_in_never_bears_the_name_aliec(tmp_path: Path, offline: list[Path]):
    dataset = load("aliec", tmp_path, scale=0.002)
    assert (dataset.name, dataset.synthetic) == ("aliec-sim", True)
    assert any("stands in for aliec" in note for note in dataset.notes)
    assert dataset.fingerprint == load("aliec-sim", tmp_path, scale=0.002).fingerprint
    assert offline == [tmp_path / "aliec"]


def test_without_a_stand_in_missing_aliec_is_an_error(tmp_path: Path, offline: list[Path]):
    with pytest.raises(InputError, match="aliec is not in"):
        load("aliec", tmp_path, fallback=False)


def test_generated_files_in_the_folder_of_aliec(tmp_path: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    simulator.generate(tmp_path / "aliec", 0.002)
    assert load("aliec", tmp_path).name == "aliec-sim"
    with pytest.raises(InputError, match="holds aliec-sim, synthetic"):
        load("aliec", tmp_path, fallback=False)


# the list


def test_listing(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    listed = {line.source.name: line for line in listing(tmp_path)}
    assert next(iter(listed)) == "aliec-sim"
    assert listed["gowalla"].status == "found"
    assert listed["gowalla"].folder == tmp_path / "gowalla"
    assert listed["yelp2018"].status == "downloadable"
    assert listed["aliec-sim"].status == "embedded"
    assert listed["aliec"].status == "manual download"
    assert listed["ml-1m"].source.protocols == ("next-item", "cold-items", "leave-last-one", "time")


def test_aliec_is_read_where_it_is_mounted_and_nothing_is_written_there(tmp_path: Path, cache: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    mount = tmp_path / "input" / "somebodys-upload"
    simulator.generate(mount, 0.002)
    before = {path: path.stat().st_mtime_ns for path in [mount, *mount.rglob("*")]}
    dataset = load("aliec", mount)
    assert dataset.fingerprint == load("aliec-sim", tmp_path / "no", scale=0.002).fingerprint
    assert {path: path.stat().st_mtime_ns for path in [mount, *mount.rglob("*")]} == before
    assert list(cache.glob("aliec-*/clicks.npz"))
    assert {line.source.name: line.folder for line in listing(mount)}["aliec"] == mount


def test_only_files_of_names_of_their_own_may_lie_in_the_data_folder_itself(
    tmp_path: Path, offline: list[Path]
):
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).write_text("0 0 1\n")
    with pytest.raises(InputError, match="gowalla is not in"):
        load("gowalla", tmp_path)


def test_a_part_of_aliec_is_listed_as_such_and_not_stood_in_for(tmp_path: Path, offline: list[Path]):
    (tmp_path / "aliec").mkdir()
    (tmp_path / "aliec" / "raw_sample.csv").write_text("user,time_stamp,adgroup_id,pid,nonclk,clk\n")
    assert {line.source.name: line.status for line in listing(tmp_path)}["aliec"] == "incomplete"
    with pytest.raises(InputError, match=r"lacks ad_feature\.csv and user_profile\.csv"):
        load("aliec", tmp_path)
    assert offline == []


def test_the_list_needs_no_heavy_import(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; "
        "from retrieval_leaderboard.datasets.sources.listing import listing; "
        "listing(Path('.')); "
        "print([m for m in ('pandas', 'scipy', 'torch', 'requests', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


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


def test_real_log_as_a_file_of_ones_own(data_dir: Path, tmp_path: Path):
    path = tmp_path / "u.tsv"
    path.write_text("user\titem\trating\ttimestamp\n" + (data_dir / "ml-100k" / "u.data").read_text())
    own, known = (load(where, data_dir, protocol="leave-last-one") for where in (str(path), "ml-100k"))
    assert len(own.train) == len(known.train)
    assert (own.train.n_users, own.train.n_items) == (943, 1682)
