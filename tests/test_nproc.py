"""The command with several processes: `--nproc`, torchrun, and what ends them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from retrieval_leaderboard import ROOT, cli
from retrieval_leaderboard.evaluation.runs import processes
from retrieval_leaderboard.neural.training.checkpoint_folder import ABOUT, FOLDER
from retrieval_leaderboard.support import compute
from tests.evaluation.runs.in_process import have_runs_here
from tests.support.two_ranks import needs_ranks

WORDS = ["--models", "infonce", "--defaults", "--set", "infonce.epochs=8", "--set", "infonce.batch_size=20"]
TWO = ["--nproc", "2"]


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """60 users in 3 groups that share items, with times."""
    rng = np.random.default_rng(0)
    lines = ["user_id,item_id,timestamp"]
    for user in range(60):
        for step, item in enumerate(rng.permutation(12)[:8]):
            lines.append(f"u{user},i{item * 3 + user % 3},{1_000_000 + 1000 * step + user}")
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def one(log, tmp_path_factory) -> Path:
    """Results of one process: this one."""
    folder = tmp_path_factory.mktemp("one")
    places = ["--results-dir", str(folder), "--data-dir", str(folder / "data"), "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETRIEVAL_CACHE", str(folder / "cache"))
        patch.chdir(ROOT)
        have_runs_here(patch)
        assert cli.main(["--dataset", str(log), *WORDS, *places]) == 0
    return folder


@pytest.fixture
def start(log, tmp_path):
    """Start the command, its results in a folder of `tmp_path`."""

    def started(results: str, *more: str, by: tuple[str, ...] = ()) -> subprocess.Popen:
        line = [sys.executable, "-u", *by, "run_all.py", "--dataset", str(log), *WORDS, *more]
        line += ["--results-dir", str(tmp_path / results), "--data-dir", str(tmp_path / "data")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = os.environ | {"RETRIEVAL_CACHE": str(tmp_path / "cache")}
        return subprocess.Popen(line, cwd=ROOT, text=True, start_new_session=True, env=environment, **pipes)

    return started


def ended(command: subprocess.Popen, code: int = 0) -> str:
    """What it printed."""
    said, errors = command.communicate(timeout=300)
    assert command.returncode == code, said + errors
    return said + errors


def at_a_checkpoint(command: subprocess.Popen, results: Path) -> None:
    """Wait until several processes have kept a state."""
    while not list(results.rglob(f"checkpoints/*/{FOLDER}/{ABOUT}")):
        assert command.poll() is None, ended(command)
        time.sleep(0.05)


def outcome(results: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The result of the one run, and its weights."""
    (record,) = results.glob("mine/runs/*/run.json")
    return json.loads(record.read_text())["result"], load_file(record.parent / "weights.safetensors")


@pytest.mark.slow
@needs_ranks
def test_two_processes_stopped_and_resumed_make_the_board_of_one(start, one, tmp_path) -> None:
    stopped = start("two", "--checkpoint-minutes", "0", *TWO)
    at_a_checkpoint(stopped, tmp_path / "two")
    os.killpg(stopped.pid, signal.SIGINT)
    assert "--resume goes on with the training" in ended(stopped, 130)
    assert not list((tmp_path / "two" / "mine").glob("runs/*/run.json"))
    assert "going on in epoch" in ended(start("two", "--resume", *TWO))
    assert not (tmp_path / "two" / "mine" / "checkpoints").exists()

    (alone, weights), (two, same) = outcome(one), outcome(tmp_path / "two")
    assert two["metrics"] == pytest.approx(alone["metrics"], abs=1e-6)
    assert weights.keys() == same.keys()
    for name, each in weights.items():
        np.testing.assert_allclose(same[name], each, atol=1e-5, err_msg=name)
    assert (alone["costs"].get("ranks"), two["costs"]["ranks"]) == (1, 2)
    pages = [(folder / "mine" / "leaderboard.md").read_text() for folder in (one, tmp_path / "two")]
    assert [("trained by 2 processes together" in page) for page in pages] == [False, True]


@needs_ranks
@pytest.mark.slow
def test_a_killed_process_ends_the_run_with_one_sentence(start, tmp_path) -> None:
    command = start("two", "--checkpoint-minutes", "0", *TWO)
    at_a_checkpoint(command, tmp_path / "two")
    ps = ["ps", "-ww", "--ppid", str(command.pid), "-o", "pid=", "-o", "args="]
    listed = subprocess.run(ps, capture_output=True, text=True)
    children = sorted(int(line.split()[0]) for line in listed.stdout.splitlines() if "spawn_main" in line)
    os.kill(children[1], signal.SIGKILL)
    said = ended(command, 1)
    assert "failed: rank 1 of 2: its process was killed by SIGKILL" in said
    assert "--resume goes on from its last checkpoint" in said and "Traceback" not in said
    assert list((tmp_path / "two").rglob(f"checkpoints/*/{FOLDER}/{ABOUT}"))


@needs_ranks
@pytest.mark.slow
def test_torchrun_makes_the_board_of_one_process(start, one, tmp_path) -> None:
    port = str(processes.free_port())
    by = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port)
    ended(start("two", "--tables", "sharded", by=by))
    (alone, _), (two, _) = outcome(one), outcome(tmp_path / "two")
    assert two["metrics"] == pytest.approx(alone["metrics"], abs=1e-6)
    assert two["costs"]["ranks"] == 2


@pytest.mark.parametrize(("words", "said"), [
    (["--tables", "sharded"], "--tables sharded is of several processes: add --nproc N, or leave it out"),
    (["--nproc", "3"], "3 processes cannot share 2 GPUs: start as many as"),
    (["--compile"], "--compile: steps on a processor have compiled kernels already; leave it out"),
    (["--compile", "--nproc", "2"], "--compile: 2 processes exchange rows within a step; leave it out"),
])  # fmt: skip
def test_what_cannot_be_is_refused(words, said, log, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv(compute.COMPILED, "0")
    monkeypatch.setattr(processes.DEVICES["cpu"], "asynchronous", {"--compile", "--nproc"} <= {*words})
    monkeypatch.setattr(type(processes.DEVICES["cpu"]), "count", lambda _: 2)
    line = ["--dataset", str(log), "--results-dir", str(tmp_path), "--device", "cpu", *words]
    assert cli.main(line) == 2
    told = capsys.readouterr().err
    assert said in told and told.startswith("error: ") and len(told.splitlines()) == 1


def test_processes_that_no_model_uses_are_said(log, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(processes, "_current", processes.current())
    line = ["--dataset", str(log), "--results-dir", str(tmp_path), "--models", "global_hot", "--nproc", "2"]
    assert cli.main(line) == 0
    assert "none of these models is trained by several processes: 2 are not used" in capsys.readouterr().out


def test_no_process_is_refused(capsys) -> None:
    with pytest.raises(SystemExit) as ended_by:
        cli.main(["--nproc", "0"])
    assert ended_by.value.code == 2 and "0 is not at least 1" in capsys.readouterr().err
