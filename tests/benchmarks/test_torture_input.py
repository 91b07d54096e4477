"""Mutated files, archives and caches: a few of the tries that `benchmarks.torture` makes by the hundred."""

import random

import pytest

from retrieval_leaderboard.benchmarks.torture import archives, caches, parsers
from retrieval_leaderboard.benchmarks.torture.mutations import mutated


def all_held(rows):
    return [row for row in rows if row[1] != row[2]] == [] and len(rows) > 1


@pytest.mark.parametrize("seed", [0, 1])
def test_mutated_files_are_read_or_refused_in_one_sentence(tmp_path, seed):
    assert all_held(parsers.run(seed, tmp_path, tries=1))


def test_files_that_are_right_are_read(tmp_path):
    for form in parsers.formats():
        folder = tmp_path / form.name
        folder.mkdir()
        for name, content in form.files.items():
            (folder / name).write_bytes(content)
        form.read(folder)


def test_a_traceback_is_noticed(tmp_path, monkeypatch):
    def broken(folder):
        raise StopIteration

    monkeypatch.setattr(parsers, "formats", lambda: [parsers.Format("it", {"it": b"1"}, broken)])
    ((_, tries, held, _),) = parsers.run(0, tmp_path, tries=1)
    assert (tries, held) == (parsers.MUTATIONS, 0)


def test_archives(tmp_path):
    assert all_held(archives.run(0, tmp_path, tries=1))


def test_flipped_caches_give_the_same_data(tmp_path, monkeypatch):
    monkeypatch.setattr(caches, "PROCESSES", 2)
    assert all_held(caches.run(0, tmp_path, tries=1))


def test_the_same_seed_changes_the_same_bytes():
    content = b"0 1 2\n3 4 5\n" * 5
    changed = [[mutated(content, random.Random(seed)) for seed in range(20)] for _ in range(2)]
    assert changed[0] == changed[1]
    assert len(set(changed[0])) > 15
