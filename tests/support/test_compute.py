"""Thread pools that do not begin."""

import json
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.system import cores

POOLS = """
import json
import numpy
from retrieval_leaderboard.support import compute
compute.begin_no_threads()
import faiss, torch
from threadpoolctl import threadpool_info
print(json.dumps({each["filepath"]: each["num_threads"] for each in threadpool_info()}))
"""


@pytest.mark.skipif(cores.affinity() < 2, reason="on one core every pool has one thread")
def test_numerical_calls_stay_on_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (cores.LIMIT, "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run([sys.executable, "-c", POOLS], cwd=ROOT, capture_output=True, text=True, check=True)
    pools = json.loads(done.stdout)
    assert len(pools) > 2 and set(pools.values()) == {1}
