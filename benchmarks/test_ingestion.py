"""AliEC's files at full size: 26.6 million rows, read for the first time and from the cache."""

import pytest

from retrieval_leaderboard.datasets.aliec import reader, simulator
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support.system import memory


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aliec")
    simulator.generate(folder / "files", scale=1.0)
    return folder


def peak_mib(folder, cache):
    """Peak memory of reading, in MiB; called in a process of its own."""
    reader.load(folder, cache)
    return memory.peak_mib()


@pytest.mark.benchmark(group="AliEC at scale 1.0")
def test_first_reading(benchmark, files):
    benchmark.extra_info["peak_mib"] = isolation.call(peak_mib, files / "files", files / "cache-of-its-own")
    caches = (files / f"cache-{number}" for number in range(3))
    benchmark.pedantic(lambda: reader.load(files / "files", next(caches)), rounds=3)


@pytest.mark.benchmark(group="AliEC at scale 1.0")
def test_cached_reading(timed, files):
    timed(reader.load, files / "files", files / "cache")
