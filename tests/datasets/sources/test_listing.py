"""The list of known datasets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.sources.listing import listing
from tests.datasets.written import write_lightgcn

pytestmark = pytest.mark.usefixtures("cache")


def test_listing(tmp_path: Path):
    write_lightgcn(tmp_path / "gowalla")
    listed = {line.source.name: line for line in listing(tmp_path)}
    assert next(iter(listed)) == "aliec-sim"
    assert listed["gowalla"].status == "found"
    assert listed["gowalla"].folder == tmp_path / "gowalla"
    assert listed["yelp2018"].status == "downloadable"
    assert listed["aliec-sim"].status == "embedded"
    assert listed["aliec"].status == "manual download"
    assert listed["ml-1m"].source.protocols == ("next-item", "cold-items", "leave-last-one", "time")


def test_the_list_needs_no_heavy_import(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; "
        "from retrieval_leaderboard.datasets.sources.listing import listing; "
        "listing(Path('.')); "
        "print([m for m in ('pandas', 'scipy', 'torch', 'requests', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
