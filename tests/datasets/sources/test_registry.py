"""What is known of every dataset."""

from __future__ import annotations

import pytest

from retrieval_leaderboard.datasets.aliec import published
from retrieval_leaderboard.datasets.sources.registry import SOURCES


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.download])
def test_every_dataset_has_its_addresses_and_digests(name: str):
    known = SOURCES[name].download
    assert known is not None
    lengths = {"md5": 32, "sha256": 64, "git": 40}
    for digest in known.digests.values():
        kind, _, value = digest.partition(":")
        assert len(value) == lengths.get(kind, 0)
        assert digest or known.check is published.check
    assert bool(known.mirrors) != (SOURCES[name].absent == "manual download" and name != "aliec")
    assert all(mirror.startswith("https://") and "{" in mirror for mirror in known.mirrors)
    assert f"<data-dir>/{SOURCES[name].folder}" in known.manual
