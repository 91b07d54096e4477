"""Filters, events, weights and features of a log on disk leave what they leave of it in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.own import chunked
from retrieval_leaderboard.datasets.prepared import log_folder, rewriting
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.prepared.compared import LIMIT, both

pytest.importorskip("duckdb")
ROWS = 1200
FILTERS = {
    "since": {"since": 1_600_000_100},
    "until": {"until": 1_600_000_400},
    "window": {"since": 1_600_000_050, "until": 1_600_000_450},
    "dedup": {"dedup_window": "1m"},
    "min history": {"min_history": 20},
    "core": {"k_core": 6},
    "events": {"events": "view=1,cart=3,buy=5"},
    "events of some": {"events": "cart=3,buy=0.5"},
    "target": {"target": "buy"},
    "target of some": {"events": "view=1,buy=4", "target": "buy"},
    "sums": {"events": "view=1,buy=4", "target": "buy", "repeats": "sum", "weight_cap": 6},
    "dedup of events": {"events": "view=1,buy=4", "dedup_window": "30s"},
    "weights": {"columns": {"weight": "minutes"}, "repeats": "sum"},
    "weights and target": {"columns": {"weight": "minutes"}, "target": "buy", "k_core": 4},
    "all": {
        "since": 1_600_000_050, "dedup_window": "10s", "events": "view=1,cart=3,buy=5", "target": "cart,buy",
        "min_history": 12, "k_core": 4, "repeats": "sum", "weight_cap": 9,
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_parts(monkeypatch, tmp_path):
    monkeypatch.setattr(chunked, "SMALLEST", 1500)
    monkeypatch.setattr(chunked, "LARGEST", 1500)
    monkeypatch.setattr(log_folder, "ROW_BYTES", 3 * 10**8 // 90)
    monkeypatch.setattr(rewriting, "GROUP", 64)
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))


def frame(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Few users of very different activity, texts as ids, times that tie, events in a late order."""
    rng = np.random.default_rng(seed)
    user, item = (40 * rng.random(rows) ** 2).astype(int), (60 * rng.random(rows) ** 2).astype(int)
    kinds = np.array(["view", "fav", " cart", "buy"])
    return pd.DataFrame(
        {
            "user": [["é", "z", "A "][code % 3] + str(code) for code in user],
            "item": [f"i{code}" for code in item],
            "timestamp": 1_600_000_000 + rng.integers(0, 100, rows) * 5,
            "event": kinds[np.where(np.arange(rows) < 200, 0, rng.integers(0, 4, rows))],
            "minutes": rng.integers(1, 9, rows) / 4,
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    frame().to_csv(tmp_path / "log.csv", index=False)
    return tmp_path / "log.csv"


@pytest.mark.parametrize("protocol", ["time", "next-item", "random"])
@pytest.mark.parametrize("kind", FILTERS)
def test_what_is_left_is_the_same(path: Path, kind: str, protocol: str):
    found = both(path, protocol=protocol, **FILTERS[kind])
    asked = {"since", "until", "dedup_window", "min_history", "k_core"} & FILTERS[kind].keys()
    assert found.profile is not None and bool(found.profile.filters) == bool(asked)
    assert not any(": 0 interactions" in each for each in found.profile.filters)


def test_filters_of_fractions_of_a_second(tmp_path: Path):
    table = frame()
    table["timestamp"] = table["timestamp"] + np.arange(ROWS) % 4 / 4
    table.to_csv(tmp_path / "log.csv", index=False)
    both(tmp_path / "log.csv", protocol="next-item", dedup_window="5.5s", k_core=3)


def test_a_filter_that_leaves_all_in(path: Path):
    found = both(path, min_history=1, protocol="next-item")
    assert found.profile is not None and ": 0 interactions" in found.profile.filters[0]


def test_another_filter_sorts_nothing_again(path: Path, monkeypatch):
    load(path, memory=LIMIT, k_core=3)
    monkeypatch.setattr(log_folder, "sort", None)
    first = both(path, k_core=5)
    assert both(path, k_core=5).fingerprint == first.fingerprint
    assert both(path, k_core=6).fingerprint != first.fingerprint
    names = [folder.name for folder in (path.parent / "cache" / "prepared").iterdir() if folder.is_dir()]
    assert sum(name.startswith("log-") for name in names) == len(names) == 1 + 2 * 3


def test_a_folder_holds_its_columns_alone(path: Path):
    load(path, memory=LIMIT, **FILTERS["all"])
    for folder in (path.parent / "cache" / "prepared").glob("log-*"):
        assert all(each.is_file() for each in folder.iterdir())


def test_columns_that_stay_are_not_copied(path: Path):
    load(path, memory=LIMIT, target="buy")
    shared = [each for each in (path.parent / "cache" / "prepared").glob("log-*/row.npy")]
    assert len(shared) == 2 and shared[0].samefile(shared[1])


@pytest.mark.parametrize("said, sentence", [
    ({"since": "2030-01-01"}, "no interaction is in that window"),
    ({"min_history": 5000}, "no user has 5000 interactions"),
    ({"k_core": 50}, "there is no 50-core"),
    ({"events": "viw=1"}, "unknown event 'viw': did you mean 'view'"),
    ({"events": "view=1", "target": "buy"}, "--target buy: it is not among"),
    ({"columns": {"event": "event"}}, "nothing uses it"),
    ({"columns": {"weight": "minutes"}, "events": "view=1"}, "give weights by one of the two"),
    ({"columns": {"event": "item2"}, "target": "buy"}, "there is no column 'item2'"),
])  # fmt: skip
def test_refusals_are_those_of_a_log_in_memory(path: Path, said: dict, sentence: str):
    sentences = set()
    for memory in (None, LIMIT, LIMIT):
        with pytest.raises(InputError, match=sentence) as error:
            load(path, memory=memory, **said)
        sentences.add(str(error.value))
    assert len(sentences) == 1
    load(path, memory=LIMIT, target="buy")
    load(path, memory=LIMIT, columns={"weight": "minutes"}, target="buy")
    with pytest.raises(InputError, match=sentence):
        load(path, memory=LIMIT, **said)


@pytest.mark.parametrize("column, value, sentence", [
    ("minutes", "0", "line 902: '0' in column 'minutes' is no weight"),
    ("minutes", "much", "line 902: 'much' in column 'minutes' is not a number"),
    ("event", "", "line 902: 'event' is missing"),
])  # fmt: skip
def test_what_is_wrong_far_below_is_named_with_its_line(tmp_path: Path, column, value, sentence):
    table = frame().astype(object)
    table.loc[900, column] = value
    table.to_csv(tmp_path / "log.csv", index=False)
    said = {"columns": {"weight": "minutes"}, "target": "buy"}
    for memory in (None, LIMIT):
        with pytest.raises(InputError) as error:
            load(tmp_path / "log.csv", memory=memory, **said)
        assert f"log.csv, {sentence}" in str(error.value)


def test_too_many_kinds_of_events(tmp_path: Path):
    frame().assign(event=[f"e{row % 300}" for row in range(ROWS)]).to_csv(tmp_path / "log.csv", index=False)
    for memory in (None, LIMIT):
        with pytest.raises(InputError, match="'event' has more than 255 different values"):
            load(tmp_path / "log.csv", memory=memory, target="e1")


def test_rows_left_out_and_events_that_are_numbers(tmp_path: Path):
    table = frame().astype(object)
    table["event"] = [str(9 - row % 3) for row in range(ROWS)]
    table.loc[[4, 700], "event"] = None
    table["rating"] = np.arange(ROWS) % 5 + 1
    table.to_csv(tmp_path / "log.csv", index=False)
    said = {"drop_incomplete": True, "min_rating": 2, "columns": {"rating": "rating"}}
    found = both(tmp_path / "log.csv", events={"7": 2, "9": 1}, **said)
    assert found.profile is not None and found.profile.dropped["with event '8'"] > 0


def test_columns_that_look_used_are_warned_of_in_their_order(tmp_path: Path):
    table = frame()
    table.insert(0, "is_new", np.arange(ROWS) % 2)
    table.insert(1, "behavior", np.where(np.arange(ROWS) % 2, "a", "b"))
    table["is_old"] = 1 - np.arange(ROWS) % 2
    table.to_csv(tmp_path / "log.csv", index=False)
    found = both(tmp_path / "log.csv", columns={"timestamp": ""}, protocol="random")
    assert sum("is not used" in note for note in found.notes) >= 4


def test_files_that_come_split_with_weights(tmp_path: Path):
    for seed, name in enumerate(("train", "test")):
        frame(seed=seed).to_csv(tmp_path / f"{name}.csv", index=False)
    said = {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"}
    both(None, **said, columns={"weight": "minutes"})
    both(None, **said, target="buy")


def items(more: bool) -> pd.DataFrame:
    codes = np.arange(0, 70 if more else 50)
    return pd.DataFrame(
        {
            "item": [f"i{code}" for code in codes],
            "brand": [f"b{code % 4}" for code in codes],
            "price": codes * 1.5,
            "tags": [f"x{code % 3}|y{code % 5}" for code in codes],
        }
    )


@pytest.mark.parametrize("said", [{}, {"k_core": 5}, {"events": "buy=2", "repeats": "sum"}], ids=str)
@pytest.mark.parametrize("more", [True, False], ids=["listed besides", "of the log"])
def test_features_and_listed_items(path: Path, more: bool, said: dict):
    items(more).to_csv(path.with_name("items.csv"), index=False)
    users = frame().drop_duplicates("user")[["user", "event"]].iloc[3:]
    users.rename(columns={"event": "group"}).to_csv(path.with_name("users.csv"), index=False)
    tables = {"items": path.with_name("items.csv"), "users": path.with_name("users.csv")}
    for protocol in ("time", "next-item"):
        found = both(path, protocol=protocol, **tables, **said)
        assert found.train.item_features is not None and found.train.user_features is not None


def test_vectors_and_tables_in_memory(path: Path):
    names = [f"i{code}" for code in range(40)]
    np.save(path.with_name("looks.npy"), np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32))
    path.with_name("looks.ids.txt").write_text("\n".join(names) + "\n")
    vectors = {"item_vectors": {"look": str(path.with_name("looks.npy"))}}
    first = both(path, **vectors, item_features=items(more=True))
    np.save(path.with_name("looks.npy"), np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32))
    assert both(path, **vectors, item_features=items(more=True)).fingerprint != first.fingerprint
    other = items(more=True).assign(brand="b1")
    other.loc[:30, "brand"] = "b0"
    assert both(path, **vectors, item_features=other).fingerprint != first.fingerprint


def test_tables_beside_inter_files(tmp_path: Path):
    frame().rename(
        columns={"user": "user_id:token", "item": "item_id:token", "timestamp": "timestamp:float"}
    ).to_csv(tmp_path / "shop.inter", index=False, sep="\t")
    items(more=True).rename(columns={"item": "item_id:token", "brand": "brand:token"}).to_csv(
        tmp_path / "shop.item", index=False, sep="\t"
    )
    found = both(tmp_path / "shop.inter")
    assert found.train.item_features is not None and "brand" in found.train.item_features.columns
