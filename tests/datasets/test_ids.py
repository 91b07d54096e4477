"""Ids in few bytes are what a list of text is."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.ids import TextIds, WholeIds, among, opened

TEXTS = ["b", "", "é", "𝒜", "zz"]
NUMBERS = [-5, 0, 7, 10, 2**40]
IDS = {
    "text": (TextIds.of(pa.array(TEXTS)), TEXTS),
    "numbers": (WholeIds(np.array(NUMBERS)), [str(number) for number in NUMBERS]),
}


@pytest.mark.parametrize("kind", IDS)
def test_they_are_used_as_an_array_of_text(kind):
    ids, texts = IDS[kind]
    assert list(ids) == texts and len(ids) == 5
    assert ids[2] == texts[2] and ids[np.int64(-1)] == texts[-1]
    assert list(ids[1:3]) == texts[1:3] and list(ids[3:1]) == []
    assert list(ids[::2]) == texts[::2] and list(ids[::-1]) == texts[::-1]
    assert list(ids[1:][np.array([3, 0, 0])]) == [texts[4], texts[1], texts[1]]
    assert np.asarray(ids).tolist() == texts and np.asarray(ids).dtype == object
    assert pa.array(ids, pa.string()).to_pylist() == texts
    with pytest.raises(IndexError):
        ids[5]


@pytest.mark.parametrize("kind", IDS)
def test_they_are_kept_and_handed_over_as_files(kind, tmp_path):
    ids, texts = IDS[kind]
    ids[1:].save(tmp_path, "ids")
    found = opened(tmp_path, "ids")
    assert list(found) == texts[1:]
    assert list(pickle.loads(pickle.dumps(found[1:]))) == texts[2:]


@pytest.mark.parametrize("kind", IDS)
def test_which_are_among_others(kind):
    ids, texts = IDS[kind]
    expected = [False, True, False, True, False]
    assert among(ids, ids[np.array([3, 1])]).tolist() == expected
    assert among(ids, np.array([texts[3], texts[1]], dtype=object)).tolist() == expected


def test_none_at_all():
    assert list(TextIds.of(pa.array([], pa.string()))) == []
    assert list(WholeIds(np.empty(0, np.int64))) == []
