"""One namespace for all imports, from a checkout and from a wheel, beside another package's `datasets`."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT

THEIRS = "mark = 'theirs'\n"
PLUGIN = """
from dataclasses import dataclass

import datasets
import numpy as np
from scipy.sparse import csr_array

from retrieval_leaderboard.evaluation import ItemToItemRetriever

assert datasets.mark == "theirs", datasets.__file__


@dataclass
class Itself(ItemToItemRetriever):
    def fit(self, train, valid, seed):
        items = np.arange(train.n_items)
        ones = np.ones(train.n_items, dtype=np.float32)
        self.similarity_ = csr_array((ones, (items, np.roll(items, 1))), shape=(train.n_items, train.n_items))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The folder of an unpacked wheel of this checkout."""
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def beside(tmp_path):
    """A working folder with a log and a plug-in that imports a `datasets` that is not ours."""
    (tmp_path / "theirs" / "datasets").mkdir(parents=True)
    (tmp_path / "theirs" / "datasets" / "__init__.py").write_text(THEIRS)
    (tmp_path / "plugin.py").write_text(PLUGIN)
    lines = [f"u{row % 9},i{row * row % 11},{1_600_000_000 + row}" for row in range(90)]
    (tmp_path / "mine.csv").write_text("\n".join(["user,item,timestamp", *lines]))
    return tmp_path


def python(*words, cwd, path):
    """What a Python in `cwd` prints that finds packages in `path` too."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    environment["RETRIEVAL_CACHE"] = str(cwd / "cache")
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


RUN = ("--dataset", "mine.csv", "--models", "global_hot", "--model", "plugin.py:Itself")


def test_a_wheel_holds_the_namespace_alone(wheel):
    tops = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"retrieval_leaderboard"}
    (entry,) = wheel.glob("*.dist-info/entry_points.txt")
    assert "retrieval-leaderboard = retrieval_leaderboard.cli:main" in entry.read_text()
    for name in (
        "py.typed",
        "configs/gowalla.yaml",
        "evaluation/reports/references.yaml",
        "results/README.md",
    ):
        assert (wheel / "retrieval_leaderboard" / name).is_file(), name
    assert not (wheel / "retrieval_leaderboard" / "results" / "local").exists()


def test_from_a_wheel_in_another_folder_beside_their_datasets(wheel, beside):
    out = python("-m", "retrieval_leaderboard", *RUN, cwd=beside, path=[beside / "theirs", wheel])
    assert out.splitlines()[-1] == str(Path("results") / "local" / "mine" / "leaderboard.md")
    assert "Itself" in (beside / "results" / "local" / "mine" / "leaderboard.md").read_text()


def test_help_names_the_command_that_was_called(wheel, beside):
    def told(*words, path):
        return python(*words, "--help", cwd=beside, path=[path])

    started = "import sys; from retrieval_leaderboard.cli import main; sys.argv[0] = 'bin/it'; main()"
    for words, path, command in (
        (("-c", started), wheel, "retrieval-leaderboard"),
        (("-m", "retrieval_leaderboard"), wheel, "python -m retrieval_leaderboard"),
        (("-m", "retrieval_leaderboard.evaluation"), wheel, "python -m retrieval_leaderboard.evaluation"),
        (("-m", "retrieval_leaderboard.serving"), wheel, "python -m retrieval_leaderboard.serving"),
        ((str(ROOT / "run_all.py"),), ROOT, "python run_all.py"),
        (("-m", "evaluation"), ROOT, "python -m evaluation"),
    ):
        text = told(*words, path=path)
        assert text.startswith(f"usage: {command} [") and text.count("run_all.py") == 5 * (
            "run_all" in command
        )


def test_from_a_checkout_beside_their_datasets(beside):
    results = ["--results-dir", str(beside / "mine"), "--configs-dir", str(ROOT / "configs")]
    out = python(str(ROOT / "run_all.py"), *RUN, *results, cwd=beside, path=[beside / "theirs"])
    assert "Itself" in out


def test_both_packages_in_one_process(wheel, beside):
    code = "import datasets, retrieval_leaderboard.datasets as ours; print(datasets.mark, ours.load.__name__)"
    assert python("-c", code, cwd=beside, path=[beside / "theirs", wheel]) == "theirs load\n"
    assert python("-c", code, cwd=beside, path=[beside / "theirs", ROOT]) == "theirs load\n"
