"""What loading by name is tried with: a cache of its own, and no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.sources import download
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("RETRIEVAL_CACHE", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that downloads were asked for; none succeeds."""
    asked: list[Path] = []

    def fetch(name: str, files: Download, folder: Path) -> None:
        asked.append(folder)
        raise InputError(f"{name} could not be downloaded; get it manually")

    monkeypatch.setattr(download, "fetch", fetch)
    return asked
