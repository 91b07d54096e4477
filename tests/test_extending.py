"""What docs/extending.md says is done to a copy of the project, which is then used."""

import csv
import re
import shutil
import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest

from retrieval_leaderboard import ROOT

PACKAGES = (
    "retrieval_leaderboard", "datasets", "baselines", "neural", "evaluation", "serving", "support", "configs",
)  # fmt: skip
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
ADDED = re.compile(r"^(\w+) = \(\s*\.\.\.,\s*(.*?),?\s*\)$", re.DOTALL | re.MULTILINE)


def blocks():
    """File → what the page puts into it."""
    for _, text in BLOCK.findall(PAGE):
        first, _, code = dedent(text).partition("\n")
        yield first.removeprefix("# "), code.strip("\n") + "\n"


def apply(path, code):
    """Write a new file, or add imports and members of tuples to one that is there."""
    if not path.exists():
        path.write_text(code)
        return
    text = path.read_text()
    for name, member in ADDED.findall(code):
        text, count = re.subn(
            rf"^{name} = \(", f"{name} = ({member}, ".replace("\\", r"\\"), text, flags=re.M
        )
        assert count == 1, f"{path.name} has no tuple {name}"
    imports = ADDED.sub("", code).strip()
    path.write_text(re.sub(r"^from retrieval", f"{imports}\nfrom retrieval", text, count=1, flags=re.M))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The copy, with the files of the added dataset."""
    root = tmp_path_factory.mktemp("extended")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("local"))
    shutil.copyfile(ROOT / "run_all.py", root / "run_all.py")
    (root / "results").mkdir()
    for name, code in blocks():
        apply(root / name, code)
    rng = np.random.default_rng(0)
    rows = [
        f"c{user},p{item},{at}" for user in range(120) for at, item in enumerate(rng.permutation(60)[:12])
    ]
    (root / "data" / "my-shop").mkdir(parents=True)
    (root / "data" / "my-shop" / "clicks.csv").write_text("\n".join(["customer,product,seconds", *rows]))
    return root


def ran(project, *words):
    line = [sys.executable, *map(str, words)]
    done = subprocess.run(line, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def board(project):
    """The rows of the added models on the added dataset by the added protocol."""
    ran(project, "run_all.py", "--dataset", "my-shop", "--protocol", "leave-last-two", "--models",
        "pure_svd,bpr", "--set", "bpr.epochs=2", "--k", "5")  # fmt: skip
    with (project / "results" / "local" / "my-shop" / "leaderboard.csv").open() as table:
        return {row["model"]: row for row in csv.DictReader(table)}


def test_the_dataset_is_listed_with_its_counts_and_license(project):
    listed = ran(project, "run_all.py", "--list", "my-shop")
    assert "published  1,440 interactions" in listed and "license    ours alone" in listed


def test_the_models_are_fitted_and_ranked_by_the_added_metric(board):
    assert {name: row["status"] for name, row in board.items()} == {"pure_svd": "done", "bpr": "done"}
    for row in board.values():
        assert 0 < float(row["f1@5"]) <= float(row["hitrate@5"])


def test_the_protocol_asks_for_each_users_last_two_events(project, board):
    del board
    code = (
        "from pathlib import Path\nfrom retrieval_leaderboard.datasets import load\n"
        "data = load('my-shop', Path('data'), protocol='leave-last-two')\n"
        "print(len(data.test), len(data.valid))"
    )
    assert ran(project, "-c", code).split() == ["240", "120"]


def test_the_index_kind_serves_the_added_model(project, board):
    del board
    (run,) = (project / "results" / "local" / "my-shop" / "runs").glob("pure_svd-*")
    out = ran(project, "-m", "serving", "index", "--run", run, "--kind", "sq8", "--out", project / "bundle")
    assert "60 items of pure_svd, in a sq8 index" in out
    code = (
        "from retrieval_leaderboard.serving import Recommender\n"
        "print(len(Recommender.open('bundle').recommend(user_id='c1', k=5).items))"
    )
    assert ran(project, "-c", code).split() == ["5"]


def test_the_kind_of_feature_is_known(project):
    code = (
        "from retrieval_leaderboard.datasets.features import KINDS, Features\n"
        "import numpy as np\n"
        "place = KINDS['place'](np.array([[0, 90], [90, 0], [np.nan, np.nan]], dtype=np.float32))\n"
        "found = place.encoding().inputs(Features({'shop': place})['shop'])\n"
        "print(len(place), *found.numbers.round().astype(int).ravel())"
    )
    assert ran(project, "-c", code).split() == "3 0 1 0 0 0 1 0 0 0".split()


def test_the_device_is_offered_and_missed(project):
    line = [sys.executable, "run_all.py", "--device", "xpu"]
    done = subprocess.run(line, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "xpu" in done.stderr and "Traceback" not in done.stderr
