"""A log of one's own, and the command run on it."""

import subprocess
import sys

import numpy as np
import pytest

from retrieval_leaderboard import ROOT, cli
from retrieval_leaderboard.support import progress
from tests.evaluation.runs.in_process import have_runs_here


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A user's own file: 60 users in 3 groups that share items, with times."""
    rng = np.random.default_rng(0)
    lines = ["user_id,item_id,timestamp"]
    for user in range(60):
        for step, item in enumerate(rng.permutation(12)[:8]):
            lines.append(f"u{user},i{item * 3 + user % 3},{1_000_000 + 1000 * step + user}")
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def run(run_in_processes, monkeypatch):
    """As `run_in_processes`, but that runs, too, are done in this process."""
    have_runs_here(monkeypatch)
    return run_in_processes


@pytest.fixture
def run_in_processes(log, tmp_path, capfd, monkeypatch):
    """Run the command on the file, each run in its process; returns the command as a finished process.

    It runs in this process, which has imported most of what it needs; what asks for `options` of
    `subprocess.run` gets a process of its own.
    """
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "configs").mkdir()

    def command(*words, dataset=log, check=0, **options):
        line = ["--dataset", str(dataset), "--results-dir", str(tmp_path / "results")]
        line += ["--data-dir", str(tmp_path / "data"), "--configs-dir", str(tmp_path / "configs")]
        line += map(str, words)
        done = apart(line, options) if options else here(line, capfd)
        assert done.returncode == check, done.stdout + done.stderr
        return done

    return command


def apart(line, options):
    line = [sys.executable, "run_all.py", *line]
    return subprocess.run(line, capture_output=True, text=True, **options)


def here(line, capfd):
    progress.warn_once.cache_clear()  # A process warns once.
    capfd.readouterr()
    try:
        code = cli.main(line)
    except SystemExit as ended:
        code = ended.code
    return subprocess.CompletedProcess(line, code, *capfd.readouterr())
