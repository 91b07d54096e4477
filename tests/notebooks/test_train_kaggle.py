"""The notebook as Kaggle runs it, in folders laid out like Kaggle's, on small synthetic data."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.aliec.simulator import generate
from retrieval_leaderboard.notebooks import kaggle
from retrieval_leaderboard.support.errors import InputError

NOTEBOOK = ROOT / "notebooks" / "train_kaggle.ipynb"
FILES = ("raw_sample.csv", "ad_feature.csv", "user_profile.csv")
SMALL = "infonce.features=true infonce.embedding_dim=8 infonce.negatives=32 infonce.max_history=5"
CHECKPOINTS = "aliec-sim/checkpoints/*/training.safetensors"


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "files"
    generate(folder, scale=0.002)
    return folder


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """`execute(name, **parameters)`: a session of its own working folder, with the inputs there are."""
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "the-code").symlink_to(ROOT)
    # Threads that spin while they wait make a busy machine several times slower.
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))

    def session(name: str, **parameters: str) -> NotebookNode:
        folder = tmp_path / name
        folder.mkdir()
        places = {"inputs": tmp_path / "input", "working": folder, "scratch": tmp_path / f"{name}-scratch"}
        small = {"device": "cpu", "precision": "auto", "settings": f"{SMALL} infonce.epochs=3"}
        for key, value in (places | small | parameters).items():
            monkeypatch.setenv(f"RETRIEVAL_{key.upper()}", str(value))
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        where = {"metadata": {"path": str(folder)}}
        return NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()

    return session


def outputs(notebook: NotebookNode, cell: str) -> list[NotebookNode]:
    return next(each["outputs"] for each in notebook.cells if each["id"] == cell)


def printed(notebook: NotebookNode, cell: str) -> str:
    return "".join(each.get("text", "") for each in outputs(notebook, cell))


@pytest.mark.slow
def test_from_attached_files_to_board_and_plots(execute, generated, tmp_path):
    shutil.copytree(generated, tmp_path / "input" / "somebodys-upload" / "archive" / "ads")
    done = execute("working")
    assert not [
        each for cell in done.cells for each in cell.get("outputs", []) if each.output_type == "error"
    ]
    assert str(tmp_path / "input" / "somebodys-upload" / "archive" / "ads") in printed(done, "data")
    assert "to install: nothing" in printed(done, "packages")
    assert "SYNTHETIC DATA" in printed(done, "train") and "TIME IS UP" not in printed(done, "train")
    (board,) = [each["data"]["text/markdown"] for each in outputs(done, "board")]
    assert board.startswith("# aliec-sim, synthetic, scale 0.002: time") and "| infonce " in board
    assert sum("image/png" in each.get("data", {}) for each in outputs(done, "plots")) == 2


@pytest.mark.slow
def test_the_next_version_goes_on_where_the_time_ran_out(execute, tmp_path):
    # So many steps, each with a checkpoint, that no machine ends them.
    steps = "infonce.epochs=4 infonce.batch_size=2"
    long = {"scale": "0.005", "settings": f"{SMALL} {steps}", "checkpoint_minutes": "0"}

    def version(name: str, reached: Callable[[Path, str], bool]) -> tuple[Path, NotebookNode]:
        """A session that came as far as `reached` asks; a slow machine is given more time for it."""
        for seconds in (18, 90):
            done = execute(f"{name}-{seconds}", hours=str(seconds / 3600), **long)
            results = tmp_path / f"{name}-{seconds}" / "results"
            if reached(results, printed(done, "train")):
                return results, done
        raise AssertionError(printed(done, "train"))

    results, cut = version("first", lambda results, _: any(results.glob(CHECKPOINTS)))
    assert "THE TIME IS UP: run this notebook again" in printed(cut, "train")
    assert "going on in epoch" not in printed(cut, "train")
    assert "no board yet" in printed(cut, "board") and "no plots yet" in printed(cut, "plots")
    (kept,) = results.glob(CHECKPOINTS)
    shutil.copytree(results, tmp_path / "input" / "train-kaggle" / "results")
    _, again = version("next", lambda _, text: bool(re.search(r"going on in epoch \d+, step \d+", text)))
    assert f"aliec-sim/checkpoints/{kept.parent.name}" in printed(again, "data")


def test_the_notebook_is_stored_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_the_repository_is_cloned_where_it_is_not_attached(tmp_path, monkeypatch):
    source = {cell["id"]: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    script = source["parameters"] + "\n" + source["repository"]
    for name in ("INPUTS", "WORKING", "SCRATCH"):
        monkeypatch.setenv(f"RETRIEVAL_{name}", str(tmp_path / name.lower()))
    refused = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert refused.stderr == "attach this repository as a dataset, or put its address into REPOSITORY\n"
    (tmp_path / "origin").mkdir()
    (tmp_path / "origin" / "run_all.py").touch()
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", *words], cwd=tmp_path / "origin", check=True)
    monkeypatch.setenv("RETRIEVAL_REPOSITORY", (tmp_path / "origin").as_uri())
    subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "scratch" / "repository" / "run_all.py").is_file()


def test_requirements_without_any_version_are_missing(tmp_path):
    project = (
        '[project]\ndependencies = ["numpy>=999", "no-such-thing[extra]>=1; python_version>\'3\'", "pyyaml"]'
    )
    (tmp_path / "pyproject.toml").write_text(project)
    (line,) = kaggle.missing(tmp_path / "pyproject.toml")
    assert line.startswith("no-such-thing[extra]>=1")
    assert kaggle.missing(ROOT / "pyproject.toml") == []


def test_files_in_folders_of_their_own_names_and_gzipped_ones(tmp_path):
    upload = tmp_path / "input" / "upload"
    for path in (upload / FILES[0] / FILES[0], upload / f"{FILES[1]}.gz", upload / FILES[2]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    assert kaggle.lay_out(tmp_path / "input", tmp_path / "data") == upload
    linked = {path.name: path.read_text() for path in (tmp_path / "data" / "aliec").iterdir()}
    assert linked == {name: name for name in (FILES[0], f"{FILES[1]}.gz", FILES[2])}


@pytest.mark.parametrize(("present", "said"), [
    ((), "nothing under .*input holds raw_sample.csv, ad_feature.csv, user_profile.csv: attach"),
    (FILES[:1], "upload lacks ad_feature.csv, user_profile.csv: attach a dataset with all three"),
    ((FILES[0], f"{FILES[1]}.gz"), "upload lacks user_profile.csv: attach"),
])  # fmt: skip
def test_missing_files_are_named_with_what_to_attach(present, said, tmp_path):
    (tmp_path / "input" / "upload").mkdir(parents=True)
    for name in present:
        (tmp_path / "input" / "upload" / name).touch()
    with pytest.raises(InputError, match=said) as refusal:
        kaggle.lay_out(tmp_path / "input", tmp_path / "data")
    assert "tianchi.aliyun.com" in str(refusal.value) and "SCALE" in str(refusal.value)
    assert not (tmp_path / "data").exists()


def test_only_what_is_of_use_is_brought_and_nothing_is_overwritten(tmp_path):
    def keep(root: str, run: str, name: str, text: str) -> None:
        path = tmp_path / "input" / root / "results" / "aliec" / run / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o444)

    keep("old", "checkpoints/a", "training.safetensors", "earlier")
    keep("old", "checkpoints/b", "training.safetensors", "earlier")
    keep("old", "runs/c", "lists.npz", "earlier")
    keep("old", "runs/d", "run.json", "of another machine")
    keep("the-code", "runs/e", "lists.npz", "the repository's")
    (tmp_path / "input" / "the-code" / "run_all.py").touch()
    present = tmp_path / "results" / "aliec" / "checkpoints" / "b"
    present.mkdir(parents=True)
    brought = kaggle.bring_back(tmp_path / "input", tmp_path / "results")
    assert sorted(brought) == ["aliec/checkpoints/a", "aliec/runs/c"]
    assert list(present.iterdir()) == []
    copied = tmp_path / "results" / "aliec" / "checkpoints" / "a" / "training.safetensors"
    assert copied.read_text() == "earlier" and copied.stat().st_mode & 0o200
    assert kaggle.bring_back(tmp_path / "input", tmp_path / "results") == []


def test_a_command_that_fails_is_said(tmp_path, capsys):
    with pytest.raises(InputError, match="exit code 2: the lines above say why"):
        kaggle.train(ROOT, ["--dataset", "aliek", "--data-dir", str(tmp_path)], 1.0, tmp_path)
    assert "did you mean 'aliec'?" in capsys.readouterr().out
