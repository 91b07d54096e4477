"""A log of one's own, and the command run on it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from retrieval_leaderboard import ROOT


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
def run(log, tmp_path):
    """Run the command on the file; returns the finished process."""

    def command(*words, dataset=log, check=0, **options):
        line = [
            sys.executable,
            "run_all.py",
            "--dataset",
            str(dataset),
            "--results-dir",
            str(tmp_path / "results"),
        ]
        (tmp_path / "configs").mkdir(exist_ok=True)
        line += ["--data-dir", str(tmp_path / "data"), "--configs-dir", str(tmp_path / "configs")]
        line += map(str, words)
        environment = os.environ | {"RETRIEVAL_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, **options)
        assert done.returncode == check, done.stdout + done.stderr
        return done

    return command
