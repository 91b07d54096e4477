import json
from dataclasses import replace

import numpy as np
import pytest
from pyarrow import parquet

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.datasets import Queries, Ragged
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.export import folder, queries
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture(scope="module")
def item_cf_run(run_of):
    return run_of("item_cf")


@pytest.fixture
def exported(dataset, tmp_path):
    """Writes an export and reads its tables."""

    def write(run, about=dataset, **chosen):
        manifest = folder.write(run, about, tmp_path / "out", **chosen)
        return manifest, {
            name.removesuffix(".parquet"): parquet.read_table(tmp_path / "out" / name)
            for name in manifest["files"]
        }

    return write


def lists_of(table):
    """User → item ids, best first."""
    found = {}
    for row in table.to_pylist():
        found.setdefault(row["user_id"], []).append(row["item_id"])
        assert row["rank"] == len(found[row["user_id"]])
    return found


def run_lists(run, dataset):
    """The lists that the run itself kept, in raw ids."""
    items = np.load(run / "lists.npz")["items"]
    users = dataset.user_ids[dataset.test.user]
    return {user: dataset.item_ids[row[row >= 0]].tolist() for user, row in zip(users, items, strict=True)}


@pytest.mark.parametrize("name", ["infonce_run", "item_cf_run"])
def test_lists_are_those_of_the_run(name, request, dataset, exported):
    run = request.getfixturevalue(name)
    _, tables = exported(run)
    assert lists_of(tables["lists"]) == run_lists(run, dataset)


def test_the_inner_products_of_the_vectors_are_the_scores(infonce_run, dataset, exported):
    _, tables = exported(infonce_run)
    users, items = (
        dict(zip(table[f"{kind}_id"].to_pylist(), np.array(table["vector"].to_pylist()), strict=True))
        for kind, table in (("user", tables["user_vectors"]), ("item", tables["item_vectors"]))
    )
    assert list(items) == dataset.item_ids.tolist() and set(users) == set(dataset.user_ids)
    rows = tables["lists"].slice(0, 100).to_pylist()
    products = [users[row["user_id"]] @ items[row["item_id"]] for row in rows]
    assert np.allclose(products, [row["score"] for row in rows], atol=1e-6)
    assert "neighbors" not in tables


def test_neighbors_are_the_similarities_best_first(item_cf_run, dataset, exported):
    _, tables = exported(item_cf_run)
    assert tables.keys() == {"neighbors", "lists"}
    similarity = ItemCF.load(item_cf_run).similarity_
    rows = tables["neighbors"].to_pandas()
    assert len(rows) == similarity.count_nonzero()
    code = {raw: number for number, raw in enumerate(dataset.item_ids)}
    at = rows["item_id"].map(code).to_numpy(), rows["neighbor_id"].map(code).to_numpy()
    assert np.array_equal(similarity[at], rows["score"])
    for _, some in rows.groupby("item_id"):
        assert some["rank"].tolist() == list(range(1, len(some) + 1))
        assert some["score"].is_monotonic_decreasing


def test_zeros_are_no_neighbors_and_equal_scores_are_in_the_order_of_ties(
    item_cf_run, dataset, exported, monkeypatch
):
    model = ItemCF.load(item_cf_run)
    model.similarity_.data[:] = 0.5
    model.similarity_.data[::3] = 0
    monkeypatch.setattr(folder.bundle, "trained", lambda *_: (records.read(item_cf_run), model))
    rows = exported(item_cf_run, only=["neighbors"])[1]["neighbors"].to_pandas()
    assert len(rows) == model.similarity_.count_nonzero() < model.similarity_.nnz
    code = {raw: number for number, raw in enumerate(dataset.item_ids)}
    rows["tie"] = folder.tables.ties.rank(rows["neighbor_id"].map(code).to_numpy())
    assert all(some["tie"].is_monotonic_increasing for _, some in rows.groupby("item_id"))


def test_blocks_do_not_show(infonce_run, exported, item_cf_run, monkeypatch):
    whole = exported(infonce_run)[1] | {"neighbors": exported(item_cf_run, replace=True)[1]["neighbors"]}
    monkeypatch.setattr(queries, "BLOCK", 7)
    monkeypatch.setattr(folder.tables, "VECTORS_A_BLOCK", 11)
    monkeypatch.setattr(folder.tables, "NEIGHBORS_A_BLOCK", 13)
    parts = exported(infonce_run, replace=True)[1]
    parts |= {"neighbors": exported(item_cf_run, replace=True)[1]["neighbors"]}
    assert whole.keys() == parts.keys() and all(whole[name].equals(parts[name]) for name in whole)


def test_all_users_are_asked_once_and_by_the_protocol(dataset):
    keeps = replace(dataset, exclude_seen=False, test=dataset.test.take(np.array([3, 3, 1])))
    asked = list(queries.blocks(keeps))
    users = np.concatenate([each.user for each in asked])
    assert users.tolist()[:2] == [1, 3] and sorted(users) == list(range(len(dataset.user_ids)))
    assert asked[0].excludes_seen and not asked[1].excludes_seen
    assert not any(each.relevant.lengths.any() for each in asked)
    assert np.array_equal(asked[1].history[0], dataset.train_valid.by_user[0])
    assert list(queries.blocks(replace(dataset, test=keeps.test)))[1].excludes_seen


def test_a_user_of_whom_nothing_is_known_is_asked_with_nothing(dataset):
    train = dataset.train_valid
    some = train.user > 0
    nobody = Ragged.empty(0)
    none = Queries(np.empty(0, np.int32), nobody, nobody, nobody)
    less = replace(train, user=train.user[some], item=train.item[some], timestamp=None, context=None)
    asked = list(queries.blocks(replace(dataset, train_valid=less, test=none)))
    assert asked[-1].user.tolist() == [0] and not asked[-1].history.lengths.any()


def test_the_manifest_says_what_there_is(infonce_run, dataset, exported, tmp_path):
    manifest, tables = exported(infonce_run, k=7)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text()) == manifest
    assert manifest["model"] == "infonce" and manifest["fingerprint"] == dataset.fingerprint
    assert manifest["settings"]["features"] is True and manifest["k"] == 7
    for name, table in tables.items():
        about = manifest["files"][f"{name}.parquet"]
        assert about["rows"] == len(table) and list(about["columns"]) == table.column_names
    assert max(tables["lists"]["rank"].to_pylist()) == 7
    assert tables["item_vectors"].schema.field("vector").type.list_size == 64
    read = parquet.ParquetFile(tmp_path / "out" / "lists.parquet")
    assert read.metadata.row_group(0).column(0).compression == "ZSTD"


def test_parts_by_name(infonce_run, item_cf_run, exported, tmp_path):
    assert exported(infonce_run, only=["lists"])[1].keys() == {"lists"}
    for run, part, sentence in (
        (item_cf_run, "vectors", "item_cf has no vectors"),
        (infonce_run, "neighbors", "infonce has no neighbors of items"),
        (infonce_run, "list", "did you mean 'lists'"),
    ):
        with pytest.raises(InputError, match=sentence):
            exported(run, only=[part], replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_an_export_is_replaced_and_only_if_that_is_asked(item_cf_run, exported, tmp_path):
    exported(item_cf_run)
    with pytest.raises(InputError, match="holds an export already"):
        exported(item_cf_run)
    exported(item_cf_run, only=["lists"], replace=True)
    assert not (tmp_path / "out" / "neighbors.parquet").exists()
    (tmp_path / "out" / "manifest.json").write_text('{"name": "of something else"}')
    with pytest.raises(InputError, match="exists and is no export"):
        exported(item_cf_run, replace=True)


def test_a_failure_leaves_the_former_export(item_cf_run, exported, tmp_path, monkeypatch):
    exported(item_cf_run)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def the_same_everywhere(_, asked, k):
        return np.zeros((len(asked), k), np.int32), np.zeros((len(asked), k), np.float32)

    monkeypatch.setattr(ItemCF, "recommend", the_same_everywhere)
    with pytest.raises(InputError, match=r"lists of item_cf cannot be written: .* a repeated item"):
        exported(item_cf_run, replace=True)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_of_another_dataset_is_refused(item_cf_run, dataset, exported, tmp_path):
    with pytest.raises(InputError, match="was trained on data of fingerprint"):
        exported(item_cf_run, replace(dataset, split_seed=1))
    assert not list(tmp_path.iterdir())


def test_the_command_line(item_cf_run, dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("retrieval_leaderboard.evaluation.runs.reload.load", lambda *_, **__: dataset)
    given = ["export", "--run", str(item_cf_run), "--dataset", "toy", "--out", str(tmp_path / "out")]
    assert main([*given, "--only", "neighbors,lists", "--k", "5"]) == 0
    assert f"lists.parquet: {5 * len(dataset.user_ids)} rows" in capsys.readouterr().out
    assert main(given) == 2
    assert "or --replace to write it anew" in capsys.readouterr().err
