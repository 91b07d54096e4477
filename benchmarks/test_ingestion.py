"""AliEC's files: the first reading, and the cached one."""

import pytest

from datasets import aliec, aliec_sim

SCALE = 0.1


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aliec")
    aliec_sim.generate(folder / "files", SCALE)
    return folder


@pytest.mark.benchmark(group=f"AliEC at scale {SCALE}")
def test_first_reading(benchmark, files):
    caches = (files / f"cache-{number}" for number in range(5))
    benchmark.pedantic(lambda: aliec.load(files / "files", next(caches)), rounds=5)


@pytest.mark.benchmark(group=f"AliEC at scale {SCALE}")
def test_cached_reading(timed, files):
    timed(aliec.load, files / "files", files / "cache")
