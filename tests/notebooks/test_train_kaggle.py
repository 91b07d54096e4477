"""The notebook of all models, in folders laid out like Kaggle's, on small synthetic data."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from retrieval_leaderboard.datasets.aliec.simulator import generate
from tests.notebooks.outputs import printed, shown

SMALL = "embedding_dim=8 negatives=32 max_history=5 neighbors=0"
CHECKPOINTS = "results/*/checkpoints/*/training.safetensors"


def words(models: str, **tower: object) -> list[str]:
    """Options of small and short runs."""
    given = [*SMALL.split(), *(f"{name}={value}" for name, value in tower.items())]
    return [
        "--models",
        models,
        "--seeds",
        "1",
        *(word for each in given for word in ("--set", f"infonce.{each}")),
    ]


@pytest.mark.slow
def test_from_attached_files_to_verdict_board_and_chart(opened, place):
    mount = place / "input" / "datasets" / "somebody" / "upload"
    generate(mount, scale=0.002)
    before = sorted(mount.rglob("*"))
    models = words("item_cf,infonce", epochs=1)
    done = opened("train_kaggle", MODELS=models, BUDGET="1s").execute()
    assert printed(done, "packages").startswith("to install: nothing")
    assert "NO GPU" in printed(done, "gpu") and "Settings → Accelerator" in printed(done, "gpu")
    assert printed(done, "data").splitlines() == [
        "AliEC: datasets/somebody/upload",
        "beginning anew: no earlier version's output is attached",
    ]
    assert "SYNTHETIC DATA" in printed(done, "run") and "TIME IS UP" not in printed(done, "run")
    (board,) = shown(done, "board", "text/markdown")
    assert board.startswith("# aliec-sim, synthetic, scale 0.002: time")
    assert "**Verdict:** Synthetic data. Only one official row has a result: **item_cf" in board, (
        "epochs are set"
    )
    assert "## Explored further" in board
    assert all(f"| {name} " in board for name in ("item_cf", "infonce"))
    assert all("trial" in line for line in board.splitlines() if "| infonce " in line or "| item_cf " in line)
    (chart,) = shown(done, "chart", "image/svg+xml")
    assert "item_cf" in chart and "infonce" in chart
    assert sorted(mount.rglob("*")) == before


def stopped_once(client: NotebookClient, place: Path) -> NotebookNode:
    """What the notebook has left whose training was stopped as by its timer, when it had a checkpoint."""
    ended = threading.Event()

    def stop() -> None:
        while not ended.is_set() and not any((place / "working" / "leaderboard").glob(CHECKPOINTS)):
            time.sleep(0.02)
        for child in psutil.Process().children(recursive=True):
            if (
                "-u" in child.cmdline()
                and str(place / "input" / "the-code" / "run_all.py") in child.cmdline()
            ):
                os.kill(child.pid, signal.SIGINT)

    watching = threading.Thread(target=stop)
    watching.start()
    try:
        return client.execute()
    finally:
        ended.set()
        watching.join()


@pytest.mark.slow
def test_the_next_version_goes_on_where_the_time_ran_out(opened, place):
    models = [*words("infonce", epochs=2, batch_size=64), "--checkpoint-minutes", "0"]
    parameters = {"MODELS": models, "REHEARSAL": ["--scale", "0.002", "--budget", "1s"]}
    cut = stopped_once(opened("train_kaggle", **parameters), place)
    assert "tuning infonce: trial 1" in printed(cut, "run")
    assert "THE TIME IS UP" in printed(cut, "run") and "going on in epoch" not in printed(cut, "run")
    assert "no board yet" in printed(cut, "board") and not shown(cut, "chart", "image/svg+xml")

    shutil.move(place / "working", place / "input" / "this-notebook")
    (place / "working").mkdir()
    again = opened("train_kaggle", **parameters).execute()
    assert "going on from this-notebook/leaderboard" in printed(again, "data")
    assert "going on in epoch" in printed(again, "run") and "trial 1" not in printed(again, "run")
    (board,) = shown(again, "board", "text/markdown")
    assert "| infonce " in board
