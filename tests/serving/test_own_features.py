"""From one's own log, items, users and vectors to a service, by the commands of the pages."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.support.errors import InputError

USERS, ITEMS, BRANDS, WIDTH = 60, 40, 4, 3
WIDE = np.eye(BRANDS, WIDTH, dtype=np.float32)


def ran(*words: str) -> str:
    line = [sys.executable, *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(folder: Path) -> list[str]:
    """Users take items of one brand; the options that name the files."""
    rng = np.random.default_rng(0)
    rows = [
        f"u{user},{item},{1_600_000_000 + 1000 * at + user}"
        for user in range(USERS)
        for at, item in enumerate(rng.permutation(np.arange(user % BRANDS, ITEMS, BRANDS))[:8])
    ]
    (folder / "clicks.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    lines = [f"{item},b{item % BRANDS},{'new|' * (item % 3 == 0)}old,{item}.5" for item in range(ITEMS + 2)]
    (folder / "items.csv").write_text("\n".join(["item_id,brand,tags,price", *lines]))
    users = [f"u{user},{'free' if user % 2 else 'paid'}" for user in range(USERS)]
    (folder / "users.csv").write_text("\n".join(["user_id,plan", *users]))
    np.save(folder / "looks.npy", WIDE[np.arange(ITEMS) % BRANDS].astype(np.float16))
    (folder / "looks.ids.txt").write_text("\n".join(map(str, range(ITEMS))))
    return [
        "--dataset", str(folder / "clicks.csv"), "--items", str(folder / "items.csv"),
        "--users", str(folder / "users.csv"), "--item-vectors", f"look={folder / 'looks.npy'}",
        "--item-features", "tags=categories",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    given, results = write(folder), folder / "results"
    changed = [f"--set=infonce.{each}" for each in ("features=true", "epochs=8", "negatives=16")]
    told = ran("run_all.py", *given, "--models", "infonce", *changed, "--results-dir", str(results))
    assert "items of items.csv: 40 are in the log, 2 more are listed without an interaction" in told
    assert "brand = category (4 values), tags = categories (2 values), price = number" in told
    assert "look = vector (3 wide), of 40 of 42 items" in told
    (run,) = results.glob("clicks/runs/infonce-*")
    ran("-m", "serving", "index", "--run", str(run), "--out", str(folder / "bundle"), "--kind", "flat")
    return folder / "bundle"


def test_new_items_come_with_raw_columns_and_a_list_of_numbers(bundle) -> None:
    recommender = Recommender.open(bundle)
    item = {"brand": "b1", "tags": ["old"], "price": 3.5, "look": WIDE[1].tolist()}
    assert recommender.add_item("another", item) == {}
    assert recommender.add_item("bare", item | {"look": None, "brand": "b9"}) == {"brand": ["b9"]}
    near = recommender.recommend(history=["1", "5", "9"], k=12, exclude_seen=False).items
    assert "another" in near
    assert sum(int(each) % BRANDS == 1 for each in near if each.isdigit()) >= 6


def test_unseen_users_come_with_raw_columns(bundle) -> None:
    recommender = Recommender.open(bundle)
    answer = recommender.recommend("stranger", features={"plan": "free"}, k=5)
    assert not answer.fallback and len(answer.items) == 5


@pytest.mark.parametrize("look", [[1.0], "1 2 3", [1.0, 2.0, None], [1.0, 2.0, float("inf")]])
def test_other_vectors_are_refused(bundle, look) -> None:
    recommender = Recommender.open(bundle)
    with pytest.raises(InputError, match="the item feature 'look' must be"):
        recommender.add_item("odd", {"brand": None, "tags": None, "price": None, "look": look})
