"""Features of one's own items and users, as read beside a log."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support.errors import InputError

ITEMS = 12


def log_rows() -> list[str]:
    """Six users, each with eight of the twelve items."""
    return [
        f"u{user},{(user + at) % ITEMS},{1_600_000_000 + 97 * at + user}"
        for user in range(6)
        for at in range(8)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["user_id,item_id,timestamp", *log_rows()]))
    return path


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def brands(path: Path, n: int = ITEMS) -> Path:
    return table(path, "item_id,brand", *(f"{item},{'red' if item % 2 else 'blue'}" for item in range(n)))


def categories(dataset, role: str = "item", column: str = "brand") -> dict[str, str]:
    """Raw id → raw value."""
    features = getattr(dataset.train, f"{role}_features")[column]
    ids = getattr(dataset, f"{role}_ids")
    return {raw: features.vocabulary[code] for raw, code in zip(ids, features.codes, strict=True)}


def test_rows_are_matched_by_ids_whatever_their_order_and_form(log, tmp_path) -> None:
    lines = [f"{item}.0,{'red' if item % 2 else 'blue'}" for item in reversed(range(ITEMS))]
    found = categories(load(log, items=table(tmp_path / "items.csv", "sku,brand", *lines)))
    assert found == {str(item): "red" if item % 2 else "blue" for item in range(ITEMS)}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", "frame"])
def test_every_format_says_the_same(log, tmp_path, suffix) -> None:
    frame = pd.DataFrame(
        {"item_id": range(ITEMS), "brand": ["red", "blue"] * 6, "tags": [["a", "b"], ["b"]] * 6}
    )
    path = tmp_path / f"items{suffix}"
    if suffix in (".csv", ".tsv"):
        frame["tags"] = frame["tags"].str.join("|")
        frame.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    choice = {"tags": "categories"} if suffix in (".csv", ".tsv") else {}
    dataset = load(log, items=frame if suffix == "frame" else path, item_features=choice)
    tags = dataset.train.item_features["tags"]
    assert categories(dataset)["0"] == "red"
    assert [tags.vocabulary[code] for code in tags.codes[0]] == ["a", "b"]
    assert [tags.vocabulary[code] for code in tags.codes[1]] == ["b"]


def test_recboles_files_beside_an_inter_are_found_and_told(tmp_path) -> None:
    lines = [row.replace(",", "\t") for row in log_rows()]
    table(tmp_path / "shop.inter", "user_id:token\titem_id:token\ttimestamp:float", *lines)
    header = "item_id:token\tyear:token\tclass:token_seq\tprice:float\tlook:float_seq"
    rows = [f"{item}\t{1990 + item % 2}\tbig red\t{item}\t0.5 {item}" for item in range(ITEMS)]
    table(tmp_path / "shop.item", header, *rows)
    table(tmp_path / "shop.user", "user_id:token\tage:token", *(f"u{user}\t{user % 2}" for user in range(6)))
    dataset = load(tmp_path / "shop.inter")
    items, users = dataset.train.item_features, dataset.train.user_features
    assert {name: column.kind for name, column in items.columns.items()} == {
        "year": "categorical", "class": "multivalued", "price": "numeric", "look": "vector"
    }  # fmt: skip
    assert items["class"].vocabulary == ["unknown", "big", "red"]
    assert items["look"].vectors.tolist() == [[0.5, int(raw)] for raw in dataset.item_ids]
    assert list(users.columns) == ["age"]
    told = "\n".join(dataset.profile.lines())
    assert "items of shop.item: 12 are in the log" in told and "year = category (2 values)" in told


def test_an_item_that_is_listed_alone_joins_the_catalog_and_is_counted(log, tmp_path) -> None:
    dataset = load(log, items=brands(tmp_path / "items.csv", ITEMS + 3), protocol="time")
    assert len(dataset.item_ids) == ITEMS + 3
    assert (dataset.train_valid.item_counts == 0).sum() == 3
    assert categories(dataset)["14"] == "blue"
    assert "12 are in the log, 3 more are listed without an interaction" in "\n".join(dataset.profile.lines())
    later = load(log, items=brands(tmp_path / "items.csv", ITEMS + 3), protocol="next-item")
    assert len(later.item_ids) == ITEMS


def test_interactions_keep_their_items_when_others_join(log, tmp_path) -> None:
    alone, both = load(log), load(log, items=brands(tmp_path / "items.csv", 100))
    for one in ("train", "train_valid"):
        first, second = getattr(alone, one), getattr(both, one)
        assert alone.item_ids[first.item].tolist() == both.item_ids[second.item].tolist()


def test_missing_rows_and_values_are_unknown_and_counted(log, tmp_path) -> None:
    path = table(tmp_path / "items.csv", "item_id,brand", "0,red", "1,", "2,nan", "3,red", "4,blue", "5,blue")
    dataset = load(log, items=path)
    found = categories(dataset)
    assert (found["0"], found["1"], found["2"], found["11"]) == ("red", "unknown", "unknown", "unknown")
    assert "6 are in the log; 6 items of the log have no row" in "\n".join(dataset.profile.lines())


def test_users_who_are_not_in_the_log_are_left_out(log, tmp_path) -> None:
    path = table(
        tmp_path / "users.csv",
        "user_id,plan",
        *(f"u{user},{'free' if user % 2 else 'paid'}" for user in range(9)),
    )
    dataset = load(log, users=path)
    assert categories(dataset, "user", "plan") == {f"u{u}": "free" if u % 2 else "paid" for u in range(6)}
    assert "users of users.csv: 6 are in the log, 3 others are left out" in "\n".join(dataset.profile.lines())


def test_the_column_of_ids_may_be_called_as_in_the_log_be_id_or_be_chosen(tmp_path) -> None:
    rows = [row.replace("u", "") for row in log_rows()]
    path = table(tmp_path / "log.csv", "who,what,timestamp", *rows)
    columns = {"user": "who", "item": "what"}
    for name, chosen in (("what", {}), ("ID", {}), ("code", {"code": "id"})):
        lines = [f"{item},{item % 2}x" for item in range(ITEMS)]
        items = table(tmp_path / "items.csv", f"{name},brand", *lines)
        assert categories(load(path, columns=columns, items=items, item_features=chosen))["3"] == "1x"


def test_a_frame_may_be_called_features(log) -> None:
    frame = pd.DataFrame({"item_id": range(ITEMS), "brand": ["red", "blue"] * 6})
    assert categories(load(log, item_features=frame)) == categories(load(log, items=frame))


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["item_id,a", "1,x", "2,y", "1,x"], {}, r"items\.csv, line 4: item '1' stands in line 2 already"),
        (["item_id,a", "1,x", ",y"], {}, r"items\.csv, line 3: 'item_id' is missing"),
        (["title,a", "1,x"], {},
         r"no column for the item's id; it has title, a; choose it: --item-features NAME=id"),
        (["item_id,a", "x1,x", "x2,y"], {},
         "none of its ids, such as 'x1', is in the log, whose items are such as"),
        (["item_id,a", "1,x"], {"item_features": {"b": "number"}},
         "there is no column 'b'; it has item_id, a"),
        (["item_id,a", "1,5", "2,cheap"], {"item_features": {"a": "number"}},
         r"items\.csv, line 3: 'cheap' in column 'a' is not a number"),
        (["item_id,a", "1,5", "2,1e39"], {"item_features": {"a": "number"}},
         "line 3: '1e39' in column 'a' is not a"),
        (["item_id,a", "1,x"], {"item_features": {"a": "price"}}, "--item-features, a: unknown type 'price'"),
        (["item_id,a", "1,x"], {"item_features": {"a": "vector"}}, "line 2: 'x' in column 'a' is no vector"),
        (["item_id,a", "1,1 2", "2,1 2 3"], {"item_features": {"a": "vector"}},
         "line 3: the vector in column 'a' has 3 numbers and others 2"),
        (["item_id,a", "1,1 2", "2,1 nan"], {"item_features": {"a": "vector"}},
         "line 3: the vector in column 'a' has a number that is missing or not finite"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_sentence(log, tmp_path, lines, options, message) -> None:
    with pytest.raises(InputError, match=message):
        load(log, items=table(tmp_path / "items.csv", *lines), **options)


def test_a_choice_without_a_table_is_refused(log) -> None:
    with pytest.raises(InputError, match="--item-features: there is no table of items; give it by --items"):
        load(log, item_features={"brand": "category"})


def test_features_are_part_of_the_fingerprint(log, tmp_path) -> None:
    first = load(log, items=brands(tmp_path / "items.csv"))
    again = load(log, items=brands(tmp_path / "more.csv"))
    other = load(log, items=brands(tmp_path / "items.csv"), item_features={"brand": "no"})
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert np.array_equal(first.train.item, other.train.item)


@pytest.mark.parametrize("form", ["frame", "parquet", "csv"])
def test_an_index_without_a_name_is_no_column(log, tmp_path, form) -> None:
    whole = pd.DataFrame({"item_id": range(ITEMS), "brand": ["red", "blue"] * 6})
    whole.index = (whole.index * 7) % 50
    found = []
    for frame in (whole[whole.item_id != 5], whole[whole.item_id > 0][::-1].set_index("brand")):
        path = tmp_path / f"items.{form}"
        if form != "frame":
            getattr(frame, f"to_{form}")(path)
        found.append(load(log, items=frame if form == "frame" else path))
    assert [list(each.train.item_features.columns) for each in found] == [["brand"], ["brand"]]
    assert "__index_level_0__" not in "\n".join(found[0].profile.lines())
    assert categories(found[0])["3"] == categories(found[1])["3"] == "blue"


@pytest.mark.parametrize("form", ["frame", "parquet", "chunks"])
def test_a_role_makes_a_column_of_an_index_without_a_name(tmp_path, form) -> None:
    lines = pd.DataFrame([row.split(",") for row in log_rows()], columns=["user_id", "item_id", "timestamp"])
    lines.index = pd.Index([f"x{at % 7}" for at in range(len(lines))])
    lines.to_parquet(tmp_path / "log.parquet")
    given = {
        "dataset": lines if form == "frame" else tmp_path / "log.parquet",
        "memory": "300MB" if form == "chunks" else None,
    }
    if form == "chunks":
        pytest.importorskip("duckdb")
    alone = load(**given)
    assert alone.profile.left_out == [] and "u1" in alone.user_ids
    assert "x1" in load(**given, columns={"user": "__index_level_0__"}).user_ids


@pytest.mark.parametrize(
    ("good", "bad", "told", "meant"),
    [
        ([f"{at}.5" for at in range(79)], "-",
         "'-' in column 'price' is no number, and 79 of 80 values are numbers", "number"),
        ([f'"[{at}.5, 1.0]"' for at in range(79)], '"[0.5, 1.0"',
         "'[0.5, 1.0' in column 'price' is no list, and 79 of 80 values are lists", "vector"),
        ([f'"[{at}.5, 1.0]"' for at in range(79)], "[0.5]",
         "'[0.5]' in column 'price' is a list of 1 numbers, and 79 of 80 values have 2", "vector"),
    ],
)  # fmt: skip
def test_a_value_that_spoils_a_column_is_told(tmp_path, good, bad, told, meant) -> None:
    rows = [f"u{at % 9},i{at % 80},{1_600_000_000 + at}" for at in range(400)]
    log = table(tmp_path / "log.csv", "user_id,item_id,timestamp", *rows)
    values = [*good[:30], bad, *good[30:]]
    dataset = load(
        log,
        items=table(
            tmp_path / "items.csv", "item_id,price", *(f"i{at},{each}" for at, each in enumerate(values))
        ),
    )
    (warning,) = [note for note in dataset.profile.warnings if "price" in note]
    assert warning.startswith(f"items.csv, line 32: {told}: the column is ")
    assert warning.endswith(f"--item-features price={meant}, or choose another type")
    assert "all differ" not in "\n".join(dataset.profile.lines())
    mended = table(
        tmp_path / "items.csv", "item_id,price", *(f"i{at},{each}" for at, each in enumerate(good))
    )
    dataset = load(log, items=mended)
    assert list(dataset.train.item_features.columns) == ["price"]
    assert not any("price" in note for note in dataset.profile.warnings)


@pytest.mark.parametrize("column", ["size:token", "size_code", "size"])
def test_numbers_that_are_categories_by_their_header_are_no_near_miss(log, tmp_path, column) -> None:
    rows = [f"{item},{'XL' if item == 5 else 36 + item % 4}" for item in range(40)]
    dataset = load(log, items=table(tmp_path / "items.csv", f"item_id,{column}", *rows))
    assert list(dataset.train.item_features.columns) == [column.split(":")[0]]
    assert any("'XL'" in note for note in dataset.profile.warnings) == (column == "size")


def test_a_number_that_is_not_finite_in_parquet_is_told(log) -> None:
    prices = [float(at % 5) for at in range(ITEMS * 3)]
    prices[3] = float("inf")
    items = pd.DataFrame({"item_id": [str(at) for at in range(ITEMS * 3)], "price": prices})
    warnings = load(log, items=items).profile.warnings
    assert any("'inf' in column 'price' is no number" in note for note in warnings)


def test_a_list_of_another_length_in_parquet_is_told(log) -> None:
    looks = [[0.5, 1.0]] * ITEMS * 3
    looks[5] = [0.5]
    frame = pd.DataFrame({"item_id": [*range(ITEMS), *range(100, 100 + 2 * ITEMS)], "look": looks})
    (warning,) = [note for note in load(log, items=frame).profile.warnings if "look" in note]
    assert "DataFrame, row 6:" in warning and "is a list of 1 numbers, and 35 of 36 values have 2" in warning


@pytest.mark.parametrize("lists", [[None] * ITEMS, [[]] * ITEMS])
def test_lists_without_a_number_are_left_out(log: Path, tmp_path: Path, lists) -> None:
    items = pa.table({"item_id": range(ITEMS), "look": pa.array(lists, pa.list_(pa.float32()))})
    parquet.write_table(items, tmp_path / "items.parquet")
    data = load(log, items=tmp_path / "items.parquet")
    assert "look (no value)" in "\n".join(data.profile.lines())


def test_an_id_twice_in_a_table(log: Path, tmp_path: Path) -> None:
    items = table(tmp_path / "items.csv", "item_id,item_id,price", "1,1,2")
    with pytest.raises(InputError, match=r"items\.csv: two columns are called 'item_id'; rename one"):
        load(log, items=items)


@pytest.mark.parametrize("kind", ["category", "categories", "number"])
def test_objects_are_no_feature(log: Path, tmp_path: Path, kind: str) -> None:
    items = pa.table({"item_id": range(ITEMS), "about": [{"a": 1}] * ITEMS})
    parquet.write_table(items, tmp_path / "items.parquet")
    with pytest.raises(InputError, match=rf"column 'about' holds objects \(struct.*\) and no {kind}"):
        load(log, items=tmp_path / "items.parquet", item_features=f"about={kind}")
