"""Runs of the command that are stopped, go on, or wait."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.runs.runner import seconds_of
from retrieval_leaderboard.support.storage.locks import locked
from tests.run_all.commands import plugin, rows


def test_ctrl_c_keeps_finished_runs_and_nothing_half_written(log, tmp_path):
    results = tmp_path / "results"
    line = [sys.executable, "run_all.py", "--dataset", str(log), "--results-dir", str(results)]
    line += ["--models", "global_hot", plugin("SleepsOnRealData")]
    command = subprocess.Popen(
        line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for printed in command.stdout:
        if "sleeping" in printed:
            break
    os.killpg(command.pid, signal.SIGINT)
    _, errors = command.communicate(timeout=20)
    assert command.returncode == 130
    assert "finished runs and trials are kept" in errors and "Traceback" not in errors
    folder = results / "mine"
    assert [json.loads(path.read_text())["model"] for path in folder.glob("runs/*/run.json")] == [
        "global_hot"
    ]
    assert not list(folder.rglob(".tmp-*"))
    assert "global_hot" in (folder / "leaderboard.md").read_text()


@pytest.mark.slow
def test_resume_goes_on_with_the_training_that_was_stopped(log, tmp_path):
    words = ["--models", "infonce", "--set", "infonce.epochs=12", "--set", "infonce.batch_size=8"]

    def line(results, *more):
        start = [sys.executable, "-u", "run_all.py", "--dataset", str(log)]
        return [*start, "--results-dir", str(tmp_path / results), *words, *more]

    often = line("cut", "--checkpoint-minutes", "0")
    command = subprocess.Popen(often, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    while not list((tmp_path / "cut").rglob("checkpoints/*/*.safetensors")):
        assert command.poll() is None
        time.sleep(0.05)
    os.killpg(command.pid, signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert list((tmp_path / "cut" / "mine" / "checkpoints").rglob("*.safetensors"))
    assert not list((tmp_path / "cut" / "mine").glob("runs/*/run.json"))
    done = [
        subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
        for words in (line("cut", "--resume"), line("whole"))
    ]
    assert "going on in epoch" in done[0].stdout and "going on in epoch" not in done[1].stdout
    (cut,), (whole,) = (
        sorted((tmp_path / name / "mine").glob("runs/*/run.json")) for name in ("cut", "whole")
    )
    assert (
        json.loads(cut.read_text())["result"]["metrics"] == json.loads(whole.read_text())["result"]["metrics"]
    )
    result = json.loads(cut.read_text())["result"]
    assert result["costs"]["fit_seconds"] >= seconds_of(result["training"], result["choosing"]) - 1e-3
    weights = [(path.parent / "weights.safetensors").read_bytes() for path in (cut, whole)]
    assert weights[0] == weights[1]
    assert not (tmp_path / "cut" / "mine" / "checkpoints").exists()


def test_seconds_of_a_resumed_training_are_those_of_all_its_epochs():
    chosen, again = [{"seconds": 2.0, "valid_seconds": 0.5}, {"seconds": 2.0}], [{"seconds": 3.0}]
    assert seconds_of(again, chosen) == 7.5
    assert seconds_of(chosen, chosen) == 4.5, "one fit that chose"


def test_commands_wait_for_the_one_before_them(log, tmp_path):
    results = tmp_path / "results"
    line = [sys.executable, "run_all.py", "--dataset", str(log), "--results-dir", str(results)]
    with locked(results / "mine", ""):
        pair = [
            subprocess.Popen([*line, "--models", name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for name in ("global_hot", "item_cf")
        ]
        assert all(any("waiting for it" in told for told in command.stdout) for command in pair)
        assert not list(results.glob("mine/runs/*"))
    for command in pair:
        command.communicate(timeout=60)
    assert [command.returncode for command in pair] == [0, 0]
    assert {model for model, _ in rows(tmp_path)} == {"global_hot", "item_cf"}


def test_start_is_quick():
    started = time.perf_counter()
    subprocess.run([sys.executable, "run_all.py", "--list"], cwd=ROOT, capture_output=True, check=True)
    heavy = {"torch", "numba", "pandas", "implicit"}
    code = f"import retrieval_leaderboard.cli, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert time.perf_counter() - started < 10
