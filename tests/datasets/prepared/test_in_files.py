"""A dataset in files is the same dataset, and travels as paths."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.datasets.prepared import in_files as module
from retrieval_leaderboard.datasets.prepared.in_files import in_files
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.planted import planted, weighted
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support.storage.mapped import Mapped


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "LARGE", 1)
    monkeypatch.setattr(module, "ARRAY_BYTES", 1)


def fitted(dataset):
    model = ItemCF()
    harness.fit(model, dataset, 0)
    return model.recommend(dataset.test, 5)


def test_same_dataset():
    dataset = weighted(planted())
    found = in_files(dataset)
    assert isinstance(found.train.item, Mapped)
    assert found.test.history.values is found.test.exclude.values
    vars(found).pop("fingerprint")
    assert found.fingerprint == dataset.fingerprint
    for ours, theirs in zip(fitted(found), fitted(dataset), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_travels_as_paths():
    found = in_files(planted())
    assert len(pickle.dumps(found.train.item)) < 400 < found.train.item.nbytes
    for ours, theirs in zip(isolation.call(fitted, found), fitted(found), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_small_or_mapped_stays(monkeypatch):
    found = in_files(planted())
    assert in_files(found) is found
    monkeypatch.setattr(module, "LARGE", 10**6)
    dataset = planted()
    assert in_files(dataset) is dataset


def test_stays_in_memory_where_nothing_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "file"))
    dataset = planted()
    assert in_files(dataset) is dataset


MAKE = """
import os, sys
from retrieval_leaderboard.datasets.prepared import in_files as module
from retrieval_leaderboard.evaluation.planted import planted
module.LARGE = module.ARRAY_BYTES = 1
module.in_files(planted())
if sys.argv[1:] == ["killed"]:
    os._exit(1)
"""


def test_files_go_with_their_process(tmp_path):
    def folders() -> int:
        return sum(path.is_dir() for path in (tmp_path / "shared").iterdir())

    subprocess.run([sys.executable, "-c", MAKE, "killed"], cwd=ROOT, check=False)
    assert folders() == 1
    subprocess.run([sys.executable, "-c", MAKE], cwd=ROOT, check=True)
    assert folders() == 0
