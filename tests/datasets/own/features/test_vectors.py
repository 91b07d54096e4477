"""Vectors from elsewhere: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support.errors import InputError

ITEMS, WIDTH = 10, 3
LOOKS = np.random.default_rng(0).normal(size=(ITEMS, WIDTH)).astype(np.float32)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    rows = [
        f"u{user},{(user + at) % ITEMS},{1_600_000_000 + 97 * at + user}"
        for user in range(6)
        for at in range(8)
    ]
    path.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    return path


def saved(folder: Path, vectors: np.ndarray, ids) -> dict[str, str]:
    """The option that names them."""
    np.save(folder / "looks.npy", vectors)
    (folder / "looks.ids.txt").write_text("\n".join(map(str, ids)) + "\n")
    return {"look": str(folder / "looks.npy")}


def read(dataset, name: str = "look") -> dict[str, list[float]]:
    vectors = dataset.train.item_features[name].vectors
    return dict(zip(dataset.item_ids, vectors.tolist(), strict=True))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_array_with_its_ids(log, tmp_path, dtype) -> None:
    vectors = LOOKS.astype(dtype)
    dataset = load(log, item_vectors=saved(tmp_path, vectors[::-1], range(ITEMS)[::-1]))
    assert read(dataset) == {str(item): vectors[item].astype(np.float32).tolist() for item in range(ITEMS)}
    assert "item features: look = vector (3 wide), of 10 of 10 items" in dataset.profile.lines()


@pytest.mark.parametrize("form", ["parquet", "frame", "fixed"])
def test_a_column_of_lists(log, tmp_path, form) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [None if item == 4 else LOOKS[item].tolist() for item in range(ITEMS)]
    kind = pa.list_(
        pa.float16() if form == "parquet" else pa.float32(), *([WIDTH] if form == "fixed" else [])
    )
    values = pa.array(
        [None if row is None else np.array(row, kind.value_type.to_pandas_dtype()) for row in rows], kind
    )
    parquet.write_table(pa.table({"item_id": range(ITEMS), "look": values}), tmp_path / "looks.parquet")
    frame = pd.DataFrame({"item_id": range(ITEMS), "look": rows})
    given = (
        {"items": frame} if form == "frame" else {"item_vectors": {"look": str(tmp_path / "looks.parquet")}}
    )
    found = read(load(log, **given))
    expected = LOOKS.astype(np.float16) if form == "parquet" else LOOKS
    assert found["7"] == expected[7].astype(np.float32).tolist() and np.isnan(found["4"]).all()
    if form != "frame":
        told = "\n".join(load(log, **given).profile.lines())
        assert "look = vector (3 wide), of 9 of 10 items" in told


def test_items_without_a_vector_are_unknown_and_others_are_counted(log, tmp_path) -> None:
    ids = [*range(ITEMS - 2), "x", "y"]
    dataset = load(log, item_vectors=saved(tmp_path, LOOKS, ids))
    assert np.isnan(read(dataset)["9"]).all() and not np.isnan(read(dataset)["7"]).any()
    assert len(dataset.item_ids) == ITEMS
    line = "look = vector (3 wide), of 8 of 10 items; 2 of looks.npy are of others"
    assert any(line in each for each in dataset.profile.lines())


def test_vectors_stand_beside_a_tables_columns(log, tmp_path) -> None:
    items = pd.DataFrame({"item_id": range(ITEMS), "brand": ["red", "blue"] * 5})
    dataset = load(log, items=items, item_vectors=saved(tmp_path, LOOKS, range(ITEMS)))
    assert list(dataset.train.item_features.columns) == ["brand", "look"]
    with pytest.raises(InputError, match="--item-vectors brand: there is a column of that name"):
        load(log, items=items, item_vectors={"brand": str(tmp_path / "looks.npy")})


def test_a_dataset_file_names_vectors_from_its_own_folder(log, tmp_path) -> None:
    saved(tmp_path, LOOKS, range(ITEMS))
    lines = ["interactions: log.csv", "item_vectors: {look: looks.npy}"]
    (tmp_path / "shop.yaml").write_text("\n".join(lines))
    assert read(load(tmp_path / "shop.yaml"))["3"] == LOOKS[3].tolist()


def with_value(value: float) -> np.ndarray:
    vectors = LOOKS.copy()
    vectors[5, 1] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (with_value(np.nan), range(ITEMS),
         r"looks\.npy, row 5 \(counted from 0\): the vector has a number that is not"),
        (with_value(np.inf), range(ITEMS), r"looks\.npy, row 5 \(counted from 0\)"),
        (LOOKS.astype(np.float64) * 1e300, range(ITEMS), "row 0 .* too large for float32"),
        (LOOKS, range(ITEMS - 1), "looks.npy has 10 vectors and looks.ids.txt 9 ids; give each vector an id"),
        (LOOKS, [*range(9), 3], r"looks\.ids\.txt, line 10: item '3' stands in line 4 already"),
        (LOOKS, [*range(9), ""], r"looks\.ids\.txt, line 10: the line is empty"),
        (LOOKS, [f"x{at}" for at in range(ITEMS)], "none of its ids, such as 'x0', is in the log"),
        (np.zeros((ITEMS, 1025), np.float32), range(ITEMS),
         "vectors of 1,025 numbers, and 1,024 is the most"),
        (np.zeros((ITEMS, 3), np.int64), range(ITEMS),
         r"holds int64 \[10, 3\]; save a float32 or float16 array"),
        (np.zeros(ITEMS, np.float32), range(ITEMS), r"holds float32 \[10\]"),
    ],
)  # fmt: skip
def test_vectors_that_cannot_be_used_are_refused(log, tmp_path, vectors, ids, message) -> None:
    with pytest.raises(InputError, match=message):
        load(log, item_vectors=saved(tmp_path, vectors, ids))


def test_files_that_are_not_there_are_named(log, tmp_path) -> None:
    with pytest.raises(InputError, match=r"looks\.ids\.txt is missing: write the ids of looks\.npy there"):
        np.save(tmp_path / "looks.npy", LOOKS)
        load(log, item_vectors={"look": str(tmp_path / "looks.npy")})
    with pytest.raises(InputError, match=r"looks\.npy: no readable \.npy file"):
        (tmp_path / "looks.npy").write_bytes(b"no array")
        (tmp_path / "looks.ids.txt").write_text("1\n")
        load(log, item_vectors={"look": str(tmp_path / "looks.npy")})


def test_lists_of_several_lengths_are_refused_where_chosen(log) -> None:
    rows = [[0.5] * (2 if item == 4 else 3) for item in range(ITEMS)]
    items = pd.DataFrame({"item_id": range(ITEMS), "look": rows})
    with pytest.raises(InputError, match="row 5: the vector in column 'look' has 2 numbers and others 3"):
        load(log, items=items, item_features={"look": "vector"})
    told = "\n".join(load(log, items=items).profile.lines())
    assert "look (lists of numbers of different lengths)" in told


def test_an_empty_list_is_unknown(log, tmp_path) -> None:
    rows = [[] if item == 4 else LOOKS[item].tolist() for item in range(ITEMS)]
    pd.DataFrame({"item_id": range(ITEMS), "look": rows}).to_parquet(tmp_path / "looks.parquet")
    for given in ({}, {"item_features": {"look": "vector"}}):
        found = read(load(log, items=tmp_path / "looks.parquet", **given))
        assert np.isnan(found.pop("4")).all()
        assert found == {str(item): LOOKS[item].tolist() for item in range(ITEMS) if item != 4}


def test_ids_of_vectors_end_with_their_line_alone(log, tmp_path) -> None:
    named = saved(tmp_path, LOOKS, range(ITEMS))
    (tmp_path / "looks.ids.txt").write_text("\r\n".join(["a\u2028b", *map(str, range(1, ITEMS))]))
    assert set(read(load(log, item_vectors=named))) == set(map(str, range(ITEMS)))


@pytest.mark.parametrize("given", ["vecs", "vecs/*.parquet", "vecs/part-0.parquet"])
def test_changed_vectors_are_read_again_whatever_names_them(log, tmp_path, given, monkeypatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "vecs").mkdir()
    for factor in (1, 7):
        table = pd.DataFrame({"item_id": range(ITEMS), "look": (factor * LOOKS).tolist()})
        table.to_parquet(tmp_path / "vecs" / "part-0.parquet", index=False)
        dataset = load(log, item_vectors={"look": str(tmp_path / given)}, memory="300MB")
        assert read(dataset)["3"] == (factor * LOOKS[3]).tolist()
