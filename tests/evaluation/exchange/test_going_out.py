"""Lists of a run that cannot go out."""

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.exchange import command
from retrieval_leaderboard.evaluation.runs import records
from tests.evaluation.stored import record


@pytest.mark.parametrize("damage", [None, b"lists"])
def test_a_run_without_lists_is_refused_before_its_data_is_loaded(tmp_path, capsys, monkeypatch, damage):
    monkeypatch.setattr(command.reload, "dataset", lambda *asked: pytest.fail("loaded"))
    folder = tmp_path / "run"
    folder.mkdir()
    np.savez(folder / records.LISTS, items=np.zeros((1, 1), np.int32))
    records.write(folder, record("als"))
    if damage is None:
        (folder / records.LISTS).unlink()
    else:
        (folder / records.LISTS).write_bytes(damage)
    assert main(["lists", "--run", str(folder), "--out", str(tmp_path / "a.csv")]) == 2
    error = capsys.readouterr().err
    assert ("is damaged" if damage else "came without its lists") in error and "run the model again" in error
