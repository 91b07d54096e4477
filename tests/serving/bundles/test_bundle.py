import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.serving.bundles import bundle, tables, versions
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import sealed


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
    assert (
        "weights.safetensors is not the file that was written, but damaged, cut or of another model"
        in refused(copied)
    )


def test_cut_weights_are_refused(copied, refused):
    weights = copied / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert refused(copied).endswith(
        "model.json or weights.safetensors is not the file that was written, but damaged, cut or of another "
        "model: build the bundle again"
    )


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
    (copied / "bundle.json").write_text(json.dumps(sealed.seal(about | {"format": 99})))
    assert "has another layout" in refused(copied)
    (copied / "bundle.json").write_text('{"format"')
    assert "bundle.json is damaged: " in refused(copied) and "; build the bundle again" in refused(copied)


@pytest.mark.parametrize("change", [{"dimension": 65}, {"exclude_seen": False}, {"items": 80}])
def test_what_a_bundle_says_of_itself_is_sealed(change, copied, toy_model, refused):
    about = json.loads((copied / "bundle.json").read_text())
    (copied / "bundle.json").write_text(json.dumps(about | change))
    assert "bundle.json is damaged: its checksum does not hold; build the bundle again" in refused(copied)
    del about["checksum"]
    (copied / "bundle.json").write_text(json.dumps(about))
    assert bundle.read(copied, toy_model).about.items == 300, "as bundles of earlier versions"
    (copied / "bundle.json").write_text(json.dumps(about | {"parameters": 7}))
    assert "has another layout" in refused(copied)


def test_a_bundle_that_was_set_aside_stands_in_its_place_again(copied, toy_model):
    copied.rename(copied.with_name(f".old-{copied.name}"))
    with pytest.raises(InputError, match="holds a bundle already"):
        bundle.check_target(copied, replace=False)
    assert bundle.read(copied, toy_model).about.items == 300


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
        ({"result": None, "reason": "none"}, "is no finished run"),
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


def test_what_a_new_bundle_may_not_replace_is_told_with_what_to_give(copied, tmp_path):
    parent = tmp_path / "versions"
    version = shutil.copytree(copied, parent / "a")
    for replaced in (True, False):
        with pytest.raises(InputError, match="versions holds versions of a bundle: add one by --version, or"):
            bundle.check_target(parent, replaced)
    versions.make_current(version)
    with pytest.raises(
        InputError, match="current is a link: give the folder that it names, or another --version"
    ):
        bundle.check_target(parent / "current", True)
    there = (
        "a holds a bundle already: give another --version, which services follow, or --replace to build it"
    )
    with pytest.raises(InputError, match=there):
        bundle.check_target(version, False)
    with pytest.raises(InputError, match="copy holds a bundle already: give another --out, or --replace"):
        bundle.check_target(copied, False)


def test_a_version_is_not_built_anew_under_its_service(copied, dataset, toy_run, toy_model, tmp_path):
    version = shutil.copytree(copied, tmp_path / "versions" / "a")
    versions.make_current(version)
    served = r"a service answers from .*a: give another --version, which services follow, or stop it first"
    with bundle.hold(version), pytest.raises(InputError, match=served):
        bundle.write(toy_run(0), dataset, version, "flat", toy_model)
