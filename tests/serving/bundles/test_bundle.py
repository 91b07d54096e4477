import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.serving.bundles import bundle, tables
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def copied(toy_bundle, tmp_path):
    return shutil.copytree(toy_bundle("flat"), tmp_path / "copy")


@pytest.fixture
def refused(toy_model):
    def message(folder):
        with pytest.raises(InputError) as caught:
            bundle.read(folder, toy_model)
        return str(caught.value)

    return message


def test_a_bundle_says_what_it_holds(copied, dataset, toy_model):
    read = bundle.read(copied, toy_model)
    assert (read.about.kind, read.about.items, read.about.dimension) == ("flat", 300, 16)
    assert read.about.fingerprint == dataset.fingerprint and read.about.exclude_seen
    assert read.item_ids == dataset.item_ids.tolist() and read.user_ids == dataset.user_ids.tolist()
    assert np.array_equal(read.histories.compact()[0], dataset.train_valid.item)


@pytest.mark.parametrize("name", ["index.faiss", "items.parquet", "users.parquet", "features.json"])
def test_a_damaged_file_is_refused_before_it_is_read(name, copied, refused):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 255
    (copied / name).write_bytes(content)
    assert f"{name} is not the file that was written" in refused(copied)


def test_a_missing_or_cut_index_is_refused(copied, refused):
    whole = (copied / "index.faiss").read_bytes()
    (copied / "index.faiss").write_bytes(whole[:100])
    assert "is not the file that was written" in refused(copied)
    (copied / "index.faiss").unlink()
    assert "index.faiss cannot be read: No such file" in refused(copied)


def test_the_index_of_another_model_is_refused(copied, dataset, toy_run, toy_model, tmp_path, refused):
    bundle.write(toy_run(1), dataset, tmp_path / "other", "flat", toy_model)
    shutil.copy(tmp_path / "other" / "index.faiss", copied)
    assert "index.faiss is not the file that was written" in refused(copied)
    shutil.copy(tmp_path / "other" / "bundle.json", copied)
    assert "the index holds vectors of another model" in refused(copied)


def test_changes_of_another_model_and_damaged_ones_are_refused(copied, refused):
    changes = tables.Changes(["new"], np.ones((1, 16), np.float32), np.empty(0, np.int64))
    path = copied / "changes.parquet"
    tables.write_changes(path, changes, "of another")
    assert "changes.parquet holds vectors of another model" in refused(copied)
    path.write_bytes(path.read_bytes()[:-20])
    assert "changes.parquet cannot be read" in refused(copied)


def test_a_folder_without_a_bundle_or_with_another_layout(copied, tmp_path, refused):
    assert "holds no bundle: make one by" in refused(tmp_path)
    about = json.loads((copied / "bundle.json").read_text())
    (copied / "bundle.json").write_text(json.dumps(about | {"format": 99}))
    assert "has another layout" in refused(copied)


def test_a_run_of_another_dataset_is_refused(dataset, toy_run, toy_model, tmp_path):
    other = replace(dataset, split_seed=1)
    with pytest.raises(InputError, match=f"fingerprint {dataset.fingerprint}.*has {other.fingerprint}"):
        bundle.write(toy_run(0), other, tmp_path / "out", "flat", toy_model)
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_a_run_that_cannot_be_served_is_refused(dataset, toy_run, tmp_path):
    run = toy_run(2)
    record = records.read(run)
    for changed, sentence in (
        ({"model": "item_cf"}, "holds a model 'described', not 'item_cf'"),
        ({"model": "infonse"}, "did you mean 'infonce'"),
        ({"result": None, "reason": "none"}, "holds no finished run"),
    ):
        records.change(run, replace(record, **changed))
        with pytest.raises(InputError, match=sentence):
            bundle.write(run, dataset, tmp_path / "out")


def test_a_run_without_weights_is_refused(dataset, toy_run, toy_model, tmp_path):
    run = toy_run(3)
    (run / "weights.safetensors").unlink()
    with pytest.raises(InputError, match="holds no readable model"):
        bundle.write(run, dataset, tmp_path / "out", "flat", toy_model)


def test_only_a_bundle_is_replaced(dataset, toy_run, toy_model, tmp_path, copied):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(InputError, match="exists and is no bundle"):
        bundle.write(toy_run(0), dataset, tmp_path / "mine", "flat", toy_model)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
    assert bundle.write(toy_run(0), dataset, copied, "hnsw", toy_model).kind == "hnsw"
    assert bundle.read(copied, toy_model).about.kind == "hnsw"
