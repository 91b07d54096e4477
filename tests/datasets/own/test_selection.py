"""Filters, and what they and weights are refused for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.own.event_log import rows, weights, write


def test_filters_stand_in_the_title_and_are_counted_in_their_order(tmp_path: Path):
    path = write(tmp_path / "log.csv")
    when = "2001-09-09T02:00:00"  # 10**9 is 01:46:40.
    given = {"since": when, "dedup_window": "2h", "events": "view=1,buy=2", "min_history": 2, "k_core": 3}
    data = load(path, tmp_path, protocol="random", **given)
    assert data.title == (
        f"log.csv, view=1 buy=2, since {when}, repeats within 2h left out, users of 2 or more, 3-core"
    )
    assert data.profile is not None
    assert [each.partition(":")[0] for each in data.profile.filters][1:] == [
        "repeats within 2h left out", "users of 2 or more", "3-core"
    ]  # fmt: skip
    assert data.profile.filters[0].startswith(f"since {when}: 2 interactions, 0 users")
    assert "filter: 3-core: 0 interactions, 0 users and 0 items left out" in data.profile.lines()
    assert data.fingerprint != load(path, tmp_path, protocol="random").fingerprint


def test_repeats_of_another_event_are_none(tmp_path: Path):
    lines = [(u, i, 10**9 + 60 * at, event) for u in range(9) for i in range(9)
             for at, event in enumerate(["view", "view", "buy"])]  # fmt: skip
    path = write(tmp_path / "log.csv", lines=lines)
    data = load(path, tmp_path, protocol="random", events="view=1,buy=5", dedup_window="30m")
    assert data.profile is not None and data.profile.events == {"view": 81, "buy": 81}
    assert set(weights(data).values()) == {5.0}


def test_bounds_are_read_as_the_datas_own_times(tmp_path: Path):
    lines = [(u, i, f"{1 + u}.{1 + i}.2020") for u in range(12) for i in range(12)]
    path = write(tmp_path / "log.csv", "user,item,date", lines)
    form = {"time_format": "%d.%m.%Y", "protocol": "random"}
    same = [load(path, tmp_path, **form, since=each) for each in ("1.7.2020", "2020-07-01")]
    assert same[0].fingerprint == same[1].fingerprint
    assert len(same[0].item_ids) == 6


def test_named_datasets_take_filters_and_repeats_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path))
    whole, core = (load("aliec-sim", tmp_path, scale=0.02, **given) for given in ({}, {"k_core": 3}))
    assert core.title == f"{whole.title}, 3-core" and core.name == whole.name
    assert len(core.user_ids) < len(whole.user_ids) and core.fingerprint != whole.fingerprint
    assert core.profile is not None and whole.profile is not None and core.profile.rows == whole.profile.rows
    with pytest.raises(InputError, match=r"no weights to cap; give --repeats sum, or leave it out$"):
        load("aliec-sim", tmp_path, scale=0.02, weight_cap=2)
    with pytest.raises(InputError, match="--events and --target: that is for data of your own"):
        load("aliec-sim", tmp_path, scale=0.02, events="view=1", target="buy", k_core=2)
    folder = tmp_path / "gowalla"
    folder.mkdir()
    for name in ("train.txt", "test.txt"):
        (folder / name).write_text("0 1 2 3\n1 2 3 4\n")
    with pytest.raises(InputError, match=r"--since and --k-core: protocol published .* leave it out$"):
        load("gowalla", tmp_path, k_core=2, since="2020-01-01")


def test_numbers_that_give_an_order_have_bounds_that_are_numbers(tmp_path: Path):
    lines = [(*row[:2], at, row[3]) for at, row in enumerate(rows())]
    path = write(tmp_path / "log.csv", lines=lines)
    data = load(path, since=100, until="500", protocol="random")
    assert data.profile is not None and data.profile.kept == 400
    with pytest.raises(InputError, match="--until 2024-01-01: the times of this data are no dates"):
        load(path, until="2024-01-01")


@pytest.mark.parametrize(
    "given", [{"repeats": "sum"}, {"weight_cap": 2}, {"repeats": "sum", "weight_cap": 2}]
)
def test_a_published_split_has_no_weights(tmp_path: Path, given: dict):
    (tmp_path / "amazon-cds").mkdir()
    lines = "".join(f"{user} {' '.join(str((user + at) % 50) for at in range(20))}\n" for user in range(40))
    more = "".join(f"{user} {(user + 30) % 50}\n" for user in range(40))
    for name, text in (("train.txt", lines), ("test.txt", more)):
        (tmp_path / "amazon-cds" / name).write_text(text)
    with pytest.raises(InputError, match=r"(--repeats|--weight-cap): protocol published keeps the source's"):
        load("amazon-cds", tmp_path, **given)
    assert load("amazon-cds", tmp_path, repeats="once").title == load("amazon-cds", tmp_path).title


def test_files_that_come_split_may_sum_their_repeats(tmp_path: Path):
    lines = rows()
    files = {
        name: write(tmp_path / f"{name}.csv", lines=part)
        for name, part in {"train": lines[:500] * 2, "test": lines[500:]}.items()
    }
    data = load(**files, repeats="sum", weight_cap=3)
    assert {2.0, 3.0} <= set(weights(data).values()) <= {1.0, 2.0, 3.0}


def test_a_length_of_time_is_for_dates(tmp_path: Path):
    lines = [f"u{user},i{step % 3},{step + 1}" for user in range(9) for step in range(9)]
    path = tmp_path / "order.csv"
    path.write_text("\n".join(["user,item,timestamp", *lines]) + "\n")
    with pytest.raises(InputError, match=r"--dedup-window: the times of order\.csv give an order"):
        load(path, protocol="next-item", dedup_window="1h")


def test_a_window_makes_no_catalog_of_a_list_that_names_no_other_items(tmp_path: Path):
    rows = [
        (f"u{user}", f"i{(user + step) % 20}", 1_600_000_000 + 100 * step + user)
        for user in range(20)
        for step in range(20)
    ]
    rows.append(("u0", "fresh", 1_600_000_000 + 10_000))
    rows.append(("u0", "old", 1_500_000_000))
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    items = pd.DataFrame({"item": frame["item"].unique(), "color": "red"})
    items.loc[::2, "color"] = "blue"
    whole = load(frame, item_features=items, protocol="time")
    narrowed = load(frame, item_features=items, protocol="time", since="2020-01-01")
    assert "fresh" not in whole.item_ids and "fresh" not in narrowed.item_ids


def test_a_year_is_no_number_of_seconds_whatever_the_format_says(tmp_path: Path):
    path = write(tmp_path / "log.csv")
    for form in ({}, {"time_format": "s"}):
        with pytest.raises(InputError, match="--since 2020: as unix seconds it lies before 1980"):
            load(path, tmp_path, protocol="random", since="2020", **form)
