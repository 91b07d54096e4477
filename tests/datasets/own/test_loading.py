"""One's own data by `load`: paths, tables in memory, dataset files, and what is remembered of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.own import names
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = [(f"u{user}", f"i{(user * 7 + step) % 30}", step * 60) for user in range(20) for step in range(9)]
    table = pd.DataFrame(rows, columns=["who", "item_id", "at"])
    return table.assign(at=pd.Timestamp("2024-01-01") + pd.to_timedelta(table["at"], unit="min"))


@pytest.fixture
def log(frame: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "log" / "mine.csv"
    path.parent.mkdir()
    frame.to_csv(path, index=False)
    return path


COLUMNS = {"user": "who", "timestamp": "at"}


def test_one_log_in_every_way(
    frame: pd.DataFrame, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "mine.yaml").write_text("interactions: log/mine.csv\ncolumns: {user: who, timestamp: at}\n")
    monkeypatch.chdir(tmp_path)
    frame[:90].to_csv(tmp_path / "a.csv", index=False)
    frame[90:].to_csv(tmp_path / "b.csv", index=False)
    ways = [
        load(log, columns=COLUMNS),
        load(str(log), str(tmp_path), columns="user=who,timestamp=at"),
        load("log", columns=COLUMNS),
        load("log/*.csv", columns=COLUMNS),
        load(["a.csv", Path("b.csv")], columns=COLUMNS),
        load([log], columns=COLUMNS),
        load(interactions=log, columns=COLUMNS),
        load(frame, columns=COLUMNS),
        load([frame[:90], frame[90:]], columns=COLUMNS),
        load(frame.set_index("who"), columns=COLUMNS),
        load(DataSpec.of({"interactions": log, "columns": COLUMNS})),
        load("mine.yaml"),
        load(tmp_path / "mine.yaml"),
    ]
    assert len({each.fingerprint for each in ways}) == 1
    assert ways[0].protocol == "time"
    names = ["mine", "mine", "log", "log", tmp_path.name, "mine", "mine", "frame", "frame", "frame", "mine"]
    assert [each.name for each in ways] == [*names, "mine", "mine"]
    monkeypatch.chdir(log.parent)
    for each in ways:
        source = json.loads(json.dumps(each.source))
        if each.name == "frame":
            assert source == {}
        else:
            assert load(**source).fingerprint == each.fingerprint


def test_ids_of_any_kind(frame: pd.DataFrame):
    for codes in (
        frame["who"].astype("category"),
        frame["who"].str[1:].astype(int),
        frame["who"].str.encode("utf-8"),
    ):
        assert len(load(frame.assign(who=codes), columns=COLUMNS).user_ids) == 20


@pytest.mark.skipif(not hasattr(pa, "uuid"), reason="this pyarrow has no type for them")
def test_uuids_are_text(frame: pd.DataFrame, tmp_path: Path):
    codes = {who: uuid.UUID(int=at) for at, who in enumerate(frame["who"].unique())}
    table = frame.assign(who=frame["who"].map(codes))
    table.to_parquet(tmp_path / "log.parquet")
    for given in (table, tmp_path / "log.parquet"):
        assert set(load(given, columns=COLUMNS).user_ids) == set(map(str, codes.values()))


def test_what_an_argument_says_goes_before_the_file(log: Path):
    path = log.with_name("my.yaml")
    path.write_text(
        "interactions: [mine.csv]\ncolumns: {user: who}\nprotocol: random\nexclude_seen: false\n"
        "split_seed: 3\nname: nice name\n"
    )
    dataset = load(path)
    asked = dataset.protocol, dataset.exclude_seen, dataset.split_seed, dataset.name, dataset.title
    assert asked == ("random", False, 3, "nice-name", "nice name")
    path.write_text(path.read_text() + "time_format: '%Y'\n")
    more = {"columns": COLUMNS, "time_format": "", "name": "x"}
    other = load(path, protocol="leave-last-one", exclude_seen=True, split_seed=0, **more)
    assert (other.protocol, other.exclude_seen, other.split_seed, other.name) == (
        "leave-last-one",
        True,
        0,
        "x",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("traim: a.csv", "unknown key in .*my.yaml, line 1: 'traim': did you mean 'train'"),
        ("\n\nnoise: 1\ntrain: a.csv", "unknown key in .*my.yaml, line 3: 'noise'"),
        ("columns: {user: a, user: b}", "my.yaml, line 1: user is given twice; leave one out"),
        ("train: a\ntrain: b", "my.yaml, line 2: train is given twice"),
        ("- a.csv", "my.yaml is no mapping; write lines such as"),
        ("", "my.yaml is no mapping"),
        ("{", "my.yaml, line 1: it is not valid YAML"),
        ("interactions: 3", "my.yaml, line 1, interactions: int '3' is neither a path nor"),
        ("min_rating: high", "my.yaml, line 1, min_rating: 'high' is no number"),
        ("columns: {usr: a}", "my.yaml, line 1, columns: unknown column role 'usr': did you mean 'user'"),
        ("split_seed: 1.5", "my.yaml, line 1, split_seed: 1.5 is no whole number"),
        ("exclude_seen: 1", "my.yaml, line 1, exclude_seen: 1 is neither true nor false"),
        (
            "interactions: a.csv\nprotocol: tme",
            "my.yaml, line 2: unknown protocol for my 'tme': did you mean 'time'",
        ),
        ("protocol: time", "no interactions are named: give interactions, or train and test"),
        ("train: a.csv", "my.yaml, line 1: a log that comes split needs --train and --test"),
        ("interactions: a.csv\ntrain: b.csv\ntest: c.csv", "a log comes split or not"),
        ("interactions: a.csv\nsplit_seed: -1", "my.yaml, line 2: --split-seed -1: give 0 or more"),
        ("interactions: a.csv\ncarve: draw", "my.yaml, line 2: --carve draw: that is for protocol"),
        ("interactions: a.csv\nk_core: 0", "my.yaml, line 2, k_core: 0 is no number of 1, 2, 3, …; give one"),
        ("interactions: a.csv\nmin_history: 0", "my.yaml, line 2, min_history: 0 is no number of 1, 2, 3"),
        ("interactions: a.csv\ndedup_window: 0", "my.yaml, line 2, dedup_window: 0 is no duration"),
        ("interactions: a.csv\nweight_cap: 0", "my.yaml, line 2, weight_cap: 0 is no weight"),
        ("<<: {name: a}\nname: b", "my.yaml, line 1: '<<' is not read; write the keys themselves"),
        ("interactions: nowhere.csv", "nowhere.csv: there is no such file or folder"),
    ],
)
def test_a_dataset_file_is_checked(tmp_path: Path, text: str, sentence: str):
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(InputError, match=sentence):
        load(tmp_path / "my.yaml")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("columns: {user: nope}", "line 2: --columns user=nope: .*there is no column 'nope' for the user"),
        ("columns: {event: what}\nevents: {a: 1, nope: 2}", "line 3: --events nope: .*unknown event 'nope'"),
        ("columns: {event: what}\ntarget: nope", "line 3: --target nope: .*unknown event 'nope'"),
        (
            "items: items.csv\nitem_features: {nope: category}",
            "line 3: --item-features nope: .*there is no column 'nope'",
        ),
    ],
)
def test_what_the_data_lacks_is_told_with_the_line_that_names_it(tmp_path: Path, line: str, sentence: str):
    rows = [f"u{at % 9},i{at % 7},{1_600_000_000 + at},{'ab'[at % 2]}" for at in range(90)]
    (tmp_path / "a.csv").write_text("\n".join(["user,item,timestamp,what", *rows]))
    (tmp_path / "items.csv").write_text("item,color\ni1,red\ni2,blue\n")
    (tmp_path / "my.yaml").write_text(f"interactions: a.csv\n{line}\n")
    with pytest.raises(InputError, match=rf"^\S*my.yaml, {sentence}"):
        load(tmp_path / "my.yaml")


@pytest.mark.parametrize(("train", "test"), [("csv", "jsonl"), ("jsonl", "csv"), ("csv", "csv")])
def test_parts_of_two_formats_may_have_columns_of_their_own(tmp_path: Path, train: str, test: str):
    paths = {"train": tmp_path / f"train.{train}", "test": tmp_path / f"test.{test}"}
    for name, path in paths.items():
        rows = pd.DataFrame({"user": np.arange(60) % 9, "item": np.arange(60) % 11, "timestamp": 1.6e9})
        rows = rows.assign(more=1) if name == "train" else rows.assign(item=rows["item"] + 1)
        if path.suffix == ".csv":
            rows.to_csv(path, index=False)
        else:
            rows.to_json(path, orient="records", lines=True)
    assert len(load(**paths).test) == 9


def test_names_too_long_for_a_folder_stay_apart(frame: pd.DataFrame, log: Path):
    found = [load(frame, columns=COLUMNS, name=f"{'ü' * 300}{at}").name for at in (1, 2)]
    assert found[0] != found[1] and all(len(each.encode()) < 200 for each in found)


def test_what_an_argument_says_is_not_told_as_the_files(log: Path):
    path = log.with_name("my.yaml")
    path.write_text("interactions: [mine.csv]\ncolumns: {user: who}\nk_core: 500\n")
    with pytest.raises(InputError, match=r"^\S*my.yaml, line 3: .* lower --k-core$"):
        load(path)
    with pytest.raises(InputError, match=r"^my: there is no 600-core.* lower --k-core$"):
        load(path, k_core=600)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("logs/*.csv", "logs"),
        ("logs/2024-*.csv.gz", "logs"),
        ("logs/part-*.parquet", "logs"),
        ("logs/day=*/part-0.parquet", "logs"),
        ("logs/clicks-2024-0[1-6].csv", "clicks"),
        ("logs/counterpart-*.csv", "counterpart"),
        ("logs/**/clicks.csv", "clicks"),
        ("logs/2024.csv", "2024"),
    ],
)
def test_a_pattern_is_called_by_what_its_files_share(pattern: str, name: str):
    assert names.of(DataSpec(interactions=(pattern,)))[0] == name


def test_what_is_no_data_is_one_sentence(frame: pd.DataFrame, log: Path, tmp_path: Path):
    for given in (3, [frame, 3], frame["who"], {"a": 1}, "", object()):
        with pytest.raises(InputError, match=r"dataset: .* is neither a path nor a pandas DataFrame"):
            load(given)  # type: ignore[arg-type]
    for wrong in (
        {"split_seed": "x"},
        {"exclude_seen": "yes"},
        {"protocol": 3.5},
        {"carve": ["draw"]},
        {"data_dir": 3},
        {"columns": 3},
        {"columnz": {"user": "who"}},
        {"drop_incomplete": "no"},
    ):
        with pytest.raises(InputError):
            load(frame, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no interactions are named"):
        load()
    with pytest.raises(InputError, match=r"my\.yaml: a dataset file stands alone"):
        load(["my.yaml", str(log)])
    with pytest.raises(InputError, match=r"mine\.csv is given twice; leave it out once"):
        load([log, log.parent / ".." / "log" / "mine.csv"])
    with pytest.raises(InputError, match=r"absent\.yaml cannot be read"):
        load("absent.yaml")
    with pytest.raises(InputError, match=r"DataFrame: .*; give each column a name and one plain type"):
        load(frame.assign(item_id=["a", 1] * 90), columns=COLUMNS)
    with pytest.raises(InputError, match=r"DataFrame: .*; give each column a name and one plain type"):
        load(frame.assign(item_id=pd.cut(pd.Series(range(180)), 9)), columns=COLUMNS)
    with pytest.raises(InputError, match="DataFrame, row 1: 'who' is missing"):
        load(frame.assign(who=None), columns=COLUMNS)
    with pytest.raises(InputError, match="DataFrame: no column for the user; it has who, item_id, at"):
        load(frame)


def test_a_line_says_what_it_is(log: Path):
    dataset = load(log, columns=COLUMNS)
    for each in (dataset, dataset.train, dataset.test):
        assert "\n" not in repr(each) and len(repr(each)) < 200
    assert "mine.csv: time" in repr(dataset) and "20 users, 30 items" in repr(dataset)


def test_a_named_dataset_remembers_its_folder_and_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path))
    source = load("aliec-sim", tmp_path / "data", scale=0.002).source
    assert source["dataset"] == "aliec-sim" and source["scale"] == 0.002
    assert not Path(source["data_dir"]).is_absolute()


def test_whole_numbers_of_parquet_and_text_of_csv_are_one_log(tmp_path: Path):
    rows = [
        (user, 100 + (user * 3 + step) % 30, 1_600_000_000 + 50 * step + user)
        for user in range(12)
        for step in range(9)
    ]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    table[:50].to_parquet(tmp_path / "a.parquet", index=False)
    table[50:].to_csv(tmp_path / "b.csv", index=False)
    table.to_csv(tmp_path / "whole.csv", index=False)
    mixed = load([tmp_path / "a.parquet", tmp_path / "b.csv"], name="whole")
    assert mixed.fingerprint == load(tmp_path / "whole.csv").fingerprint
