"""Where trials are stored: damage, full disks, odd names."""

import resource
import shutil
import sqlite3
from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.tuning import search, trial_records
from retrieval_leaderboard.support.errors import InputError, UnwritableError
from tests.evaluation.runs.in_process import have_runs_here
from tests.evaluation.tuning.searches import asked, tuned, written


def damage(database, old, new):
    content = database.read_bytes()
    assert old in content
    database.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("start", [0, 16, 100, 4096])
def test_a_damaged_database_is_one_sentence(start, here, tmp_path):
    tuned(asked(), tmp_path, 2)
    database = tmp_path / "tuning.db"
    content = bytearray(database.read_bytes())
    content[start : start + 400] = b"\xff" * 400
    database.write_bytes(content)
    with pytest.raises(InputError, match=r"tuning.db is damaged \(.*\): remove it, and the searches"):
        tuned(asked(), tmp_path, 3)


def test_a_trial_with_another_digit_is_found(here, tmp_path):
    tuned(asked(), tmp_path, 2)
    ndcg = str(written(tmp_path)[0]["metrics"]["ndcg"])
    damage(tmp_path / "tuning.db", f'"ndcg": {ndcg}'.encode(), f'"ndcg": {ndcg[:-1]}9'.encode())
    with pytest.raises(
        InputError, match=r"trial 0 of the search Tunable-\w+-1 in tuning.db is damaged: --force"
    ):
        tuned(asked(), tmp_path, 2)
    assert tuned(asked(), tmp_path, 2, anew=True).provenance.trials == 4, "what was tried before counts"


def test_a_search_that_cannot_write_stops(tmp_path, monkeypatch):
    def full(*_):
        raise UnwritableError("cannot write it: No space left")

    monkeypatch.setattr(search.isolation, "call", full)
    with pytest.raises(UnwritableError):
        tuned(asked(), tmp_path, 2)
    have_runs_here(monkeypatch)
    assert tuned(asked(), tmp_path, 2).provenance.trials == 2


def test_a_database_without_room_is_one_sentence(here, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(UnwritableError, match=r"cannot use .*tuning.db: "):
            tuned(asked(), tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_folders_with_odd_names(here, tmp_path):
    assert tuned(asked(), tmp_path / "a {b} ?c %41", 1).provenance.trials == 1


def test_a_search_made_anew_keeps_the_record_of_the_first(here, tmp_path):
    tuned(asked(), tmp_path, 2)
    (copy,) = (tmp_path / "tuning").glob("*.json")
    record = trial_records.load(copy)
    slower = replace(record, trials=tuple(replace(each, seconds=99.0) for each in record.trials))
    trial_records.write(copy, slower)
    (tmp_path / "tuning.db").unlink()
    assert tuned(asked(), tmp_path, 2).provenance.trials == 4
    kept = [trial_records.load(path) for path in sorted((tmp_path / "tuning").glob("*.json"))]
    assert slower in kept and len(kept) == 2


def test_the_searches_of_a_copied_board_count_once(here, tmp_path):
    tuned(asked(), tmp_path / "one", 3)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    spec = asked()
    boards = [tmp_path / "one", tmp_path / "other"]
    found = trial_records.of_boards(boards, spec.dataset.fingerprint, spec.job.source.name)
    assert len(found) == 3


def test_tables_of_another_optuna_are_not_called_damage(here, tmp_path):
    tuned(asked(), tmp_path, 1)
    with sqlite3.connect(tmp_path / "tuning.db") as database:
        database.execute("update alembic_version set version_num = 'v99.0.0.a'")
    database.close()
    with pytest.raises(InputError, match=r"tuning.db cannot be used: .*optuna version") as error:
        tuned(asked(), tmp_path, 1)
    assert "remove" not in str(error.value)


def test_a_damaged_copy_says_what_to_do_and_no_trial_is_lost(here, tmp_path):
    other = tmp_path / "tuning" / "als-0000000000.json"
    other.parent.mkdir()
    other.write_text("{")
    with pytest.raises(InputError, match=r"als-0000000000.json is damaged.*: restore it, or remove it"):
        tuned(asked(), tmp_path, 2)
    other.unlink()
    assert tuned(asked(), tmp_path, 2).provenance.trials == 2
