"""One's own file read some rows at a time is what it is in memory, or is refused in a sentence."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.own import chunked
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.prepared.compared import both

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    monkeypatch.setattr(chunked, "SMALLEST", 200)
    monkeypatch.setattr(chunked, "LARGEST", 200)
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))


def frame(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "user": rng.integers(0, 25, rows),
            "item": rng.integers(0, 40, rows),
            "timestamp": 1_600_000_000 + rng.integers(0, 500, rows),
        }
    )


@pytest.mark.parametrize("protocol", ["time", "next-item", "random"])
def test_plain_numbers(tmp_path, protocol):
    frame().to_csv(tmp_path / "log.csv", index=False)
    both(tmp_path / "log.csv", protocol=protocol)


def test_text_with_quotes_blank_lines_and_lines_in_quotes(tmp_path):
    table = frame()
    table["user"] = [f"  ü{code}" if code % 2 else f'a "b"\n{code}' for code in table["user"]]
    table["note"] = ["x,y" if code % 3 else "" for code in table["item"]]
    table.to_csv(tmp_path / "log.csv", index=False)
    text = (tmp_path / "log.csv").read_text().replace("\n1", "\n\n1", 3)
    (tmp_path / "log.csv").write_text(text)
    expected, found = load(tmp_path / "log.csv"), load(tmp_path / "log.csv", memory="300MB")
    assert found.fingerprint == expected.fingerprint
    assert found.user_ids[0] == expected.user_ids[0]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_ends_of_lines(tmp_path, end):
    text = frame().to_csv(index=False, lineterminator="\n").replace("\n", end)
    (tmp_path / "log.tsv").write_bytes(text.replace(",", "\t").encode())
    both(tmp_path / "log.tsv")


def test_ratings_missing_values_labels_and_packing(tmp_path):
    table = frame()
    table["rating"] = np.arange(len(table)) % 5 + 1
    table["is_new"] = np.arange(len(table)) % 2
    table["item"] = table["item"].astype(object)
    table.loc[[3, 400], "item"] = None
    table.loc[[5], "item"] = "nan"
    with gzip.open(tmp_path / "log.csv.gz", "wt") as file:
        file.write(table.to_csv(index=False))
    found = both(tmp_path / "log.csv.gz", drop_incomplete=True, min_rating=2, columns={"rating": "rating"})
    assert found.profile is not None and found.profile.dropped["without an item"] == 2
    both(tmp_path / "log.csv.gz", drop_incomplete=True, protocol="next-item")


@pytest.mark.parametrize("suffix", [".zst", ".zip"])
def test_whatever_packs_it(tmp_path, suffix):
    content = frame().to_csv(index=False).encode()
    path = tmp_path / f"log.csv{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("log.csv", content)
    else:
        path.write_bytes(pa.compress(content, codec="zstd", asbytes=True))
    both(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="damaged"):
        load(path, memory="1GB")


@pytest.mark.parametrize("times", ["iso", "zoned", "milliseconds", "order", "fractions", "odd"])
def test_all_forms_of_times(tmp_path, times):
    table = frame()
    seconds = table["timestamp"]
    table["timestamp"] = {
        "iso": pd.to_datetime(seconds, unit="s").dt.strftime("%Y-%m-%d %H:%M:%S"),
        "zoned": pd.to_datetime(seconds, unit="s").dt.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        "milliseconds": seconds * 1000 + np.arange(len(table)) % 1000,
        "order": seconds - 1_600_000_000 + 5000,
        "fractions": seconds + 0.25 * (np.arange(len(table)) % 4),
        "odd": seconds.where(np.arange(len(table)) % 100 > 0, 12345),
    }[times]
    table.to_csv(tmp_path / "log.csv", index=False)
    both(tmp_path / "log.csv")


def test_whole_numbers_written_as_floats(tmp_path):
    table = frame()
    table["item"] = table["item"].astype(str) + ".0"
    table.to_csv(tmp_path / "log.csv", index=False)
    assert "12" in list(both(tmp_path / "log.csv").item_ids)


def test_parquet_folders_and_files_that_come_split(tmp_path):
    (tmp_path / "log").mkdir()
    for part in range(3):
        frame(seed=part).to_parquet(tmp_path / "log" / f"part-{part}.parquet", index=False)
    both(tmp_path / "log")
    for seed, name in enumerate(("train", "valid", "test")):
        frame(seed=seed).drop(columns="timestamp" if seed > 2 else []).to_csv(tmp_path / f"{name}.csv")
    said = {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"}
    both(None, **said)
    both(None, **said, valid=tmp_path / "valid.csv")


def line_of(table: pd.DataFrame, row: int) -> int:
    return row + 2


@pytest.mark.parametrize("column, value, sentence", [
    ("timestamp", "yesterday", "line 502"),
    ("timestamp", "1600000000000", "line 502: '1600000000000' in column 'timestamp' is in milliseconds"),
    ("item", "", "line 502: 'item' is missing"),
    ("item", "1e+20", "line 502: '1e+20' in column 'item' is a rounded number"),
])  # fmt: skip
def test_what_is_wrong_far_below_is_named_with_its_line(tmp_path, column, value, sentence):
    table = frame().astype(object)
    table.loc[500, column] = value
    table.to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(InputError) as error:
        load(tmp_path / "log.csv", memory="300MB")
    assert f"log.csv, {sentence}" in str(error.value)


def test_floats_and_text_in_one_column_are_refused(tmp_path):
    table = frame().astype(object)
    table["item"] = table["item"].astype(str) + ".0"
    table.loc[599, "item"] = "abc"
    table.to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(InputError, match=r"line \d+: .*written as floats.*leave --memory out"):
        load(tmp_path / "log.csv", memory="300MB")


def test_too_many_fields_far_below(tmp_path):
    lines = frame().to_csv(index=False).splitlines()
    lines[501] += ",9,9"
    (tmp_path / "log.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match="line 502: 5 fields, not 3"):
        load(tmp_path / "log.csv", memory="300MB")


def test_what_is_read_whole_only_is_refused(tmp_path):
    frame().to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    with pytest.raises(InputError, match="JSON lines are read whole"):
        load(tmp_path / "log.jsonl", memory="300MB")
    with pytest.raises(InputError, match="in memory already"):
        load(frame(), memory="300MB")
    with pytest.raises(InputError, match="'6 apples' is no size"):
        load(tmp_path / "log.jsonl", memory="6 apples")


def test_a_table_of_items_beside_it_is_used_alike(tmp_path):
    frame().to_csv(tmp_path / "log.inter", sep="\t", index=False)
    (tmp_path / "log.item").write_text("item\tcolor\n3\tred\n4\tblue\n5\tred\nnew\tblue\n")
    found = both(tmp_path / "log.inter", item_features={"color": "category"})
    assert found.train.item_features is not None and "new" in list(found.item_ids)


def test_a_changed_file_is_another_log(tmp_path):
    path = tmp_path / "log.csv"
    frame().to_csv(path, index=False)
    first = both(path)
    frame(seed=9).to_csv(path, index=False)
    assert both(path).fingerprint != first.fingerprint


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_times_in_another_unit_than_is_said_are_told_alike(tmp_path, unit):
    frame().to_csv(tmp_path / "log.csv", index=False)
    found = both(tmp_path / "log.csv", time_format=unit, protocol="next-item")
    assert any("lie before 1980" in note for note in found.notes) == (unit == "ms")


def test_a_time_that_is_missing_further_down_where_none_is_needed(tmp_path):
    table = frame()
    table["timestamp"] = table["timestamp"].astype("Int64")
    table.loc[500, "timestamp"] = None
    path = tmp_path / "log.csv"
    table.to_csv(path, index=False)
    assert load(path, protocol="random", drop_incomplete=True).train.timestamp is None
    with pytest.raises(
        InputError, match=r"log.csv, line 502: 'timestamp' is missing, and rows above have it"
    ):
        load(path, protocol="random", drop_incomplete=True, memory="300MB")
    both(path, protocol="random", columns={"timestamp": ""})
    both(path, protocol="random", drop_incomplete=True, columns={"timestamp": "timestamp"})


def test_lines_in_quotes_are_summed_for_each_file(tmp_path):
    table = frame()
    table["user"] = [f"a\n{code}" for code in table["user"]]
    for name in ("a.csv", "b.csv"):
        table.to_csv(tmp_path / name, index=False)
    data = both([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
    assert [note for note in data.notes if "quote" in note] == [
        f"{name}: 600 lines lie inside quoted fields and are no rows: is a quote stray?"
        for name in ("a.csv", "b.csv")
    ]


def test_an_unreadable_time_in_a_row_that_is_left_out(tmp_path):
    table = frame().astype({"timestamp": str})
    table["rating"] = 5
    table.loc[500, ["timestamp", "rating"]] = ["2020-01-01", 1]
    path = tmp_path / "log.csv"
    table.to_csv(path, index=False)
    assert load(path, protocol="random", min_rating=2).train.timestamp is None
    with pytest.raises(InputError, match="line 502"):
        load(path, protocol="random", min_rating=2, memory="300MB")
    both(path, protocol="random", min_rating=2, columns={"timestamp": "timestamp"})


NESTED = {
    "tags": [["a"], ["b", "c"], None] * 200,
    "about": [{"a": 1}, {"a": 2}, None] * 200,
    "pair": np.full((600, 2), 1.0).tolist(),
}


@pytest.mark.parametrize("column", NESTED)
def test_lists_and_objects_that_are_not_used(tmp_path, column):
    rows = frame().assign(**{column: NESTED[column]})
    path = tmp_path / "log.parquet"
    rows.to_parquet(path)
    both(path)
    assert load(rows, protocol="time").fingerprint == load(frame(), protocol="time").fingerprint


def test_views_of_text(tmp_path):
    plain = pa.table({**frame().astype({"user": str}), "note": ["a", "b", "c"] * 200})
    path = tmp_path / "log.parquet"
    views = [("user", pa.string_view()), ("note", pa.string_view())]
    for name, kind in views:
        plain = plain.set_column(plain.schema.get_field_index(name), name, plain[name].cast(kind))
    parquet.write_table(plain, path)
    both(path)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_file_with_nothing_in_it(tmp_path, suffix):
    write = gzip.compress if suffix == ".csv.gz" else bytes
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / f"b{suffix}").write_bytes(write(b""))
    for memory in (None, "300MB"):
        with pytest.raises(InputError, match="the file is empty"):
            load(folder / f"b{suffix}", memory=memory)
    (folder / f"a{suffix}").write_bytes(write(frame().to_csv(index=False).encode()))
    (folder / f"c{suffix}").write_bytes(write(b"\n\n"))
    both(folder)


def test_ids_that_are_floats_in_one_file_of_text_alone_are_refused(tmp_path):
    for seed, name in enumerate("ab"):
        table = frame(seed=seed)
        table["user"] = table["user"].astype(str) + ".0"
        table.loc[599, "user"] = "guest" if name == "b" else "7.0"
        (tmp_path / "log").mkdir(exist_ok=True)
        table.to_parquet(tmp_path / "log" / f"{name}.parquet")
    assert "7.0" in load(tmp_path / "log").user_ids, "in memory none is a whole number"
    with pytest.raises(InputError, match="written as floats or not: write all in one form"):
        load(tmp_path / "log", memory="300MB")


def test_numbers_that_may_be_dates_by_the_first_rows_alone_are_refused(tmp_path):
    table = frame()
    table["timestamp"] = [101 + row % 28 if row < 300 else 1400 + row for row in range(600)]
    path = tmp_path / "log.csv"
    table.to_csv(path, index=False)
    assert load(path, protocol="random").train.ordered
    with pytest.raises(InputError, match="'timestamp' may hold dates written in digits, by the first rows"):
        load(path, protocol="random", memory="300MB")
    both(path, protocol="random", columns={"timestamp": ""})
    both(path, protocol="random", columns={"timestamp": "timestamp"}, time_format="s")


def test_a_leading_zero_far_below_is_refused_as_above(tmp_path):
    table = frame().astype({"timestamp": str})
    table["timestamp"] = [str(1300 + row) for row in range(600)]
    table.loc[500, "timestamp"] = "01400"
    path = tmp_path / "log.csv"
    table.to_csv(path, index=False)
    for limit in (None, "300MB"):
        with pytest.raises(InputError, match="line 502: '01400' in column 'timestamp' begins with 0"):
            load(path, protocol="next-item", memory=limit)


@pytest.mark.parametrize("dropped", [{"min_rating": 2}, {"drop_incomplete": True}])
def test_a_table_made_of_rows_that_are_left_out_too_lists_nothing(tmp_path, dropped):
    table = frame()
    table["timestamp"] = 1_600_000_000 + np.arange(600)
    table["item"] = [f"i{code}" for code in table["item"]]
    table.loc[560:, "item"] = "new"
    table["rating"] = 5
    table.loc[3, "item"] = "once"
    if "min_rating" in dropped:
        table.loc[3, "rating"] = 1
    else:
        table.loc[3, "user"] = None
    path, items = tmp_path / "log.csv", tmp_path / "items.csv"
    table.astype({"user": "Int64"}).to_csv(path, index=False)
    plain = both(path, **dropped)
    for more in ([], ["listed alone"]):
        names = [*sorted(set(table["item"])), *more]
        items.write_text(
            "item,color\n" + "".join(f"{name},{'rg'[at % 2]}\n" for at, name in enumerate(names))
        )
        described = both(path, items=str(items), item_features={"color": "category"}, **dropped)
        assert ("new" in described.item_ids) is bool(more)
        if not more:
            assert list(described.item_ids) == list(plain.item_ids)
