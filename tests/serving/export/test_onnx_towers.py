import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from pyarrow import parquet

from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.export import command, folder, onnx_towers
from retrieval_leaderboard.serving.export.towers import UserTower
from retrieval_leaderboard.support.errors import InputError

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, command.ONNX)), reason="needs what requirements-onnx.lock has"
)


@pytest.fixture(scope="session")
def written(infonce_run, dataset, tmp_path_factory):
    """An export with towers."""
    out = tmp_path_factory.mktemp("towers") / "out"
    folder.write(infonce_run, dataset, out, only=["vectors"], onnx=True)
    return out


def answers(path, **inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    assert {each.name for each in session.get_inputs()} == inputs.keys()
    return session.run(None, inputs)[0]


def vectors_of(table):
    return np.array(table["vector"].to_pylist(), dtype=np.float32)


@pytest.mark.slow
@needs_onnx
@pytest.mark.parametrize("model", ["context"], indirect=True)
def test_towers_are_written_and_compared_with_the_model(model, dataset, tmp_path):
    about = onnx_towers.write(model, dataset, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(about)


@pytest.mark.slow
@needs_onnx
@pytest.mark.parametrize("model", ["causal"], indirect=True)
def test_large_weights_lie_beside_their_tower(model, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_towers, "MOST_IN_ONE_FILE", 0)
    about = onnx_towers.write(model, dataset, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*about, *(f"{name}.data" for name in about)}


@pytest.mark.parametrize("model", ["mean"], indirect=True)
def test_what_pytorch_cannot_export_is_a_sentence(model, dataset, tmp_path, monkeypatch):
    def refuses(*_, **__):
        raise torch.onnx.errors.OnnxExporterError("an operation\nand much more")

    monkeypatch.setattr(torch.onnx, "export", refuses)
    with pytest.raises(
        InputError, match=r"cannot write item_tower.onnx of these settings: an operation; leave"
    ):
        onnx_towers.write(model, dataset, tmp_path)


@pytest.mark.slow
@needs_onnx
def test_the_towers_of_an_export_give_its_vectors_by_its_codes(written, dataset):
    tables = {path.stem: parquet.read_table(path) for path in written.glob("*.parquet")}
    code = dict(zip(*tables["item_codes"].to_pydict().values(), strict=True))
    asked = tables["item_vectors"]["item_id"].to_pylist()[10:20]
    found = answers(written / "item_tower.onnx", item=np.array([code[item] for item in asked]))
    assert np.allclose(found, vectors_of(tables["item_vectors"])[10:20], atol=1e-5)

    rows = (dataset.item_ids[dataset.test.history[row]] for row in range(5))
    histories = [[code[item] for item in row] for row in rows]
    users = tables["user_codes"]["code"].to_numpy()[:5]
    assert tables["user_vectors"]["user_id"][:5] == tables["user_codes"]["user_id"][:5]
    found = answers(written / "user_tower.onnx", history=np.array(histories), user=users)
    assert np.allclose(found, vectors_of(tables["user_vectors"])[:5], atol=1e-5)


@pytest.mark.slow
@needs_onnx
def test_the_manifest_says_what_the_towers_take(written):
    towers = json.loads((written / "manifest.json").read_text())["towers"]
    assert {name: list(about["inputs"]) for name, about in towers.items()} == {
        "item_tower.onnx": ["item"], "user_tower.onnx": ["history", "user"]
    }  # fmt: skip


@pytest.mark.slow
@needs_onnx
def test_a_tower_that_gives_other_vectors_is_refused(written):
    codes = {"item": np.arange(3)}
    vectors = answers(written / "item_tower.onnx", **codes)
    onnx_towers._compare(written / "item_tower.onnx", [codes], [vectors])
    for wrong in (vectors + np.float32(2e-5), np.full_like(vectors, np.nan)):
        with pytest.raises(
            InputError, match=r"item_tower.onnx gives vectors that differ from the model's by"
        ):
            onnx_towers._compare(written / "item_tower.onnx", [codes], [wrong])


@pytest.mark.parametrize("model", ["context"], indirect=True)
def test_codes_of_a_context_are_those_of_the_manifest(model, dataset):
    user, asked = UserTower(model), dataset.train_valid.queries(np.arange(20))
    about = onnx_towers._of_users(user, dataset)["inputs"]["context"]["columns"]
    taken = onnx_towers.inputs_of(user, asked)["context"]
    at = list(about).index("place")
    place = asked.context["place"]
    expected = [about["place"]["first"] + about["place"]["values"].index(place.vocabulary[each])
                for each in place.codes]  # fmt: skip
    assert taken.shape == (20, len(about)) and taken[:, at].tolist() == expected


def test_a_model_without_towers_is_refused(run_of, dataset, tmp_path):
    with pytest.raises(InputError, match="item_cf has no towers: leave --onnx out"):
        folder.write(run_of("item_cf"), dataset, tmp_path / "out", onnx=True)
    assert not list(tmp_path.iterdir())


def test_without_the_packages_there_is_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("retrieval_leaderboard.support.errors.find_spec", lambda name: None)
    assert main(["export", "--run", str(tmp_path), "--out", str(tmp_path / "out"), "--onnx"]) == 2
    said = capsys.readouterr().err
    assert (
        "onnxruntime not installed: pip install -r requirements-onnx.lock" in said and said.count("\n") == 1
    )
