"""Events, weights and repeats of one's own data, from the file to what a model is fitted on."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.own.event_log import KINDS, rows, weights, write


def test_events_weigh_and_others_are_left_out_and_counted(tmp_path: Path):
    data = load(write(tmp_path / "log.csv"), tmp_path, protocol="random", events="view=1, buy=5")
    used = [row for row in rows() if row[3] != "fav"]
    for (user, item), weight in weights(data).items():
        kinds = {row[3] for row in used if row[:2] == (int(user), int(item))}
        assert weight == (5 if "buy" in kinds else 1)
    profile = data.profile
    assert profile is not None
    assert profile.dropped == {"with event 'fav'": 600 - len(used)}
    assert profile.events == {kind: sum(row[3] == kind for row in used) for kind in ("buy", "view")}
    assert profile.weights.startswith("1 to 5 a pair of user and item")
    assert data.title == "log.csv, view=1 buy=5"
    assert profile.kept == len(used) and profile.rows == 600


def test_repeats_are_summed_up_to_a_cap(tmp_path: Path):
    path = write(tmp_path / "log.csv")
    given = {"events": {"view": 1, "buy": 5, "fav": 0.5}, "repeats": "sum", "weight_cap": 7}
    data = load(path, tmp_path, protocol="random", **given)
    value = {"view": 1, "buy": 5, "fav": 0.5}
    found = weights(data)
    for (user, item), weight in found.items():
        total = sum(value[row[3]] for row in rows() if row[:2] == (int(user), int(item)))
        assert weight == min(total, 7)
    assert max(found.values()) == 7 and len(set(found.values())) > 4
    assert data.title == "log.csv, view=1 buy=5 fav=0.5, repeats summed, weights up to 7"


def test_a_target_asks_for_its_events_and_keeps_seen_items(tmp_path: Path):
    path = write(tmp_path / "log.csv")
    data = load(path, tmp_path, protocol="time", target="buy")
    bought = [row for row in rows()[540:] if row[3] == "buy"]
    truth = {
        (int(data.user_ids[user]), int(data.item_ids[item]))
        for user, each in zip(data.test.user, data.test.relevant, strict=True)
        for item in each
    }
    assert truth == {row[:2] for row in bought}
    assert not data.exclude_seen and data.train_valid.weight is None
    assert len(data.train_valid) == len({row[:2] for row in rows()[:540]})
    assert data.profile is not None
    assert "of target events (buy) alone; items seen before stay in the answer" in data.profile.relevant
    assert "relevant: the " in "\n".join(data.profile.lines())
    assert load(path, tmp_path, protocol="time").exclude_seen
    asked = load(path, tmp_path, protocol="time", target="buy", exclude_seen=True)
    assert asked.exclude_seen and asked.fingerprint != data.fingerprint
    several = load(path, tmp_path, protocol="time", target=["buy", "fav"])
    assert several.title == "log.csv, target buy+fav"
    assert several.test.relevant.lengths.sum() > data.test.relevant.lengths.sum()


def test_a_target_of_all_events_is_none(tmp_path: Path):
    data = load(write(tmp_path / "log.csv"), tmp_path, protocol="time", events="buy=1", target="buy")
    assert data.exclude_seen and data.profile is not None and not data.profile.relevant


def test_a_column_of_weights(tmp_path: Path):
    lines = [(*row[:3], 1 + at % 3) for at, row in enumerate(rows())]
    path = write(tmp_path / "log.csv", "user,item,timestamp,minutes", lines)
    data = load(path, tmp_path, protocol="random", columns="weight=minutes")
    for (user, item), weight in weights(data).items():
        assert weight == max(row[3] for row in lines if row[:2] == (int(user), int(item)))
    assert data.title == "log.csv, weights of minutes"


@pytest.mark.parametrize("bad", ["0", "-1", "inf", "many", "1e39"])
def test_a_weight_that_is_none_is_refused_with_its_line(tmp_path: Path, bad: str):
    lines = [(*row[:3], bad if at == 7 else 1) for at, row in enumerate(rows())]
    path = write(tmp_path / "log.csv", "user,item,timestamp,minutes", lines)
    with pytest.raises(InputError, match=rf"log.csv, line 9: '{re.escape(bad)}' in column 'minutes' is no"):
        load(path, tmp_path, columns="weight=minutes")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"events": "viw=1"}, "log.csv: unknown event 'viw': did you mean 'view'?"),
        ({"target": "purchase"}, "log.csv: unknown event 'purchase': known: buy, fav, view"),
        ({"events": "view=1", "target": "buy"}, "--target buy: it is not among --events view=1; add it"),
        ({"events": "view=0"}, "--events, view: 0 is no weight; give a number above 0"),
        ({"events": "view=-2"}, "--events, view: -2 is no weight"),
        ({"events": "view"}, "--events 'view': give it as NAME=VALUE"),
        ({"columns": "event=event"}, "--columns event=event: nothing uses it; give --events or --target"),
        ({"columns": "event=", "events": "view=1"}, "--events needs events; name their column"),
        ({"columns": "weight=item2", "events": "view=1"}, "there is no column 'item2' for the weight"),
        ({"weight_cap": 3}, "--weight-cap: there are no weights to cap"),
        ({"weight_cap": 0}, "--weight-cap: 0 is no weight"),
        ({"repeats": "twice"}, "--repeats: unknown way 'twice'"),
        ({"k_core": 0}, "--k-core: 0 is no number of 1, 2, 3"),
        ({"k_core": 1.5}, "--k-core: 1.5 is no number of 1, 2, 3"),
        ({"k_core": 50}, "log, .*there is no 50-core|log: there is no 50-core"),
        ({"min_history": 5000}, "users of 5000 or more: no user has 5000 interactions"),
        ({"since": "2030-01-01"}, "since 2030-01-01: no interaction is in that window"),
        ({"since": "2020"}, "--since 2020: as unix seconds it lies before 1980; give a date such as"),
        ({"until": "soon"}, "--until soon: that is no moment; give unix seconds"),
        ({"dedup_window": "a while"}, "--dedup-window: 'a while' is no duration; give one such as 30m"),
        ({"target": "buy,"}, "--target 'buy,': a name is empty"),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path: Path, given: dict, message: str):
    with pytest.raises(InputError, match=message):
        load(write(tmp_path / "log.csv"), tmp_path, **given)


def test_weights_are_given_one_way(tmp_path: Path):
    lines = [(*row, 2) for row in rows()]
    path = write(tmp_path / "log.csv", "user,item,timestamp,event,minutes", lines)
    with pytest.raises(InputError, match="--events and --columns weight=minutes: give weights by one"):
        load(path, tmp_path, events="view=1", columns="weight=minutes")


def test_an_event_column_that_is_not_used_gives_a_warning(tmp_path: Path):
    data = load(write(tmp_path / "log.csv"), tmp_path)
    (note,) = [each for each in data.notes if "kinds of events" in each]
    assert "column 'event' looks like kinds of events and is not used" in note
    assert "--columns event=event --events buy=1,fav=1,view=1" in note
    used = load(write(tmp_path / "log.csv"), tmp_path, target="buy")
    assert not [each for each in used.notes if "kinds of events" in each]
    title = [(*row[:3], f"t{row[1]}x{row[0]}") for row in rows()]
    many = load(write(tmp_path / "other.csv", "user,item,timestamp,type", title), tmp_path)
    assert not [each for each in many.notes if "kinds of events" in each]


def test_what_is_said_can_be_kept_and_read_again():
    given = {
        "events": "view=1,buy=5", "target": "buy", "repeats": "sum", "weight_cap": "10",
        "since": "2020-01-01", "dedup_window": "30m", "min_history": "2", "k_core": 5,
    }  # fmt: skip
    spec = DataSpec.of(given)
    assert spec.dedup_window == 1800
    assert DataSpec.of(spec.given()) == spec and set(spec.given()) == set(given)


def test_a_dataset_file_says_all_of_it_and_it_is_remembered(tmp_path: Path):
    path = write(tmp_path / "log.csv")
    said = tmp_path / "mine.yaml"
    said.write_text(
        "interactions: log.csv\nevents: {view: 1, buy: 5}\ntarget: buy\nrepeats: sum\nsince: 2001-09-09\n"
        "until: 2001-09-20 10:00:00\ndedup_window: 30m\nk_core: 2\nprotocol: time\n"
    )
    given = {
        "events": "view=1,buy=5", "target": "buy", "repeats": "sum", "since": "2001-09-09", "k_core": 2,
        "until": "2001-09-20T10:00:00", "dedup_window": 1800,
    }  # fmt: skip
    data, same = load(said), load(path, protocol="time", **given)
    assert data.fingerprint == same.fingerprint and not data.exclude_seen
    again = load(**data.source, protocol=data.protocol)
    assert again.fingerprint == data.fingerprint


def test_files_that_come_split_have_targets_and_weights_and_no_filters(tmp_path: Path):
    lines = rows()
    parts = {"train": lines[:500], "valid": lines[500:550], "test": lines[550:]}
    files = {name: write(tmp_path / f"{name}.csv", lines=part) for name, part in parts.items()}
    data = load(**files, events="view=1,buy=4", target="buy")
    pairs = {row[:2] for row in lines[550:] if row[3] == "buy"}
    assert data.test.relevant.lengths.sum() == len(pairs) and not data.exclude_seen
    assert set(weights(data).values()) == {1.0, 4.0}
    with pytest.raises(InputError, match=r"--k-core: protocol given keeps .* would change; leave it out$"):
        load(**files, k_core=2)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "inter"])
def test_events_are_the_same_in_every_format(tmp_path: Path, kind: str):

    frame = pd.DataFrame(rows(), columns=["user_id", "item_id", "timestamp", "behavior"])
    path = tmp_path / f"log.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, sep="\t" if kind == "inter" else ",", index=False)
    plain = load(write(tmp_path / "same.csv"), protocol="time", events="view=1,buy=5", target="buy")
    data = load(str(path), protocol="time", events="view=1,buy=5", target="buy")
    assert data.fingerprint == plain.fingerprint


def test_events_may_be_numbers(tmp_path: Path):
    lines = [(*row[:3], KINDS.index(row[3])) for row in rows()]
    data = load(write(tmp_path / "log.csv", lines=lines), events="0=1,4=5", target="4")
    assert data.title == "log.csv, 0=1 4=5, target 4"
    same = load(write(tmp_path / "other.csv"), events="view=1,buy=5", target="buy")
    assert data.fingerprint == same.fingerprint
