"""A file of one's own by its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.written import write_lightgcn, write_log

pytestmark = pytest.mark.usefixtures("cache")


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


def test_real_log_as_a_file_of_ones_own(data_dir: Path, tmp_path: Path):
    path = tmp_path / "u.tsv"
    path.write_text("user\titem\trating\ttimestamp\n" + (data_dir / "ml-100k" / "u.data").read_text())
    own, known = (load(where, data_dir, protocol="leave-last-one") for where in (str(path), "ml-100k"))
    assert len(own.train) == len(known.train)
    assert (own.train.n_users, own.train.n_items) == (943, 1682)
