"""Runs on disk: a damaged one is named and left out, wherever runs are read; a good one is not lost."""

import json

import numpy as np
import pytest

from retrieval_leaderboard import (
    ROOT,
    baselines,  # noqa: F401
)
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports import main_table, report
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.index_section import INDEXES
from retrieval_leaderboard.evaluation.runs import isolation, records, runner
from retrieval_leaderboard.evaluation.testing import contract
from retrieval_leaderboard.evaluation.testing.planted import planted
from retrieval_leaderboard.support import sealed
from retrieval_leaderboard.support.errors import InputError, UnwritableError
from tests.evaluation.stored import keep, record

DATA = planted()
GOOD = record("good")


@pytest.fixture(autouse=True)
def nothing_told_before():
    records.tell.cache_clear()


def board_of(tmp_path, *said):
    for number, each in enumerate((GOOD, *said)):
        keep(tmp_path / "mine" / "runs" / f"run{number}", each)
    return tmp_path / "mine"


def without(key, said=GOOD):
    return {name: value for name, value in said.items() if name != key}


ODD = {
    "a list": [],
    "a number": 7,
    "null": None,
    "empty": {},
    "failed without a reason": GOOD | {"status": "failed"},
    "settings": GOOD | {"settings": [1]},
    "k": GOOD | {"k": "20"},
    "seed": GOOD | {"seed": True},
    "date": GOOD | {"date": 20260101},
    "metrics": GOOD | {"metrics": {"ndcg": 0.5}},
    "another metric": GOOD | {"metrics": GOOD["metrics"] | {"mrr": "high"}},
    "metrics of a failed run": GOOD | {"status": "failed", "reason": "none", "metrics": []},
    "a figure of a slice": GOOD | {"slices": [{"slice": "warm", "queries": 0, "random_recall": "low"}]},
    "a metric": GOOD | {"metrics": GOOD["metrics"] | {"ndcg": "high"}},
    "infinite": GOOD | {"metrics": GOOD["metrics"] | {"ndcg": float("inf")}},
    "slices": GOOD | {"slices": [{"slice": "warm", "queries": 3}]},
    "slice names": GOOD | {"slices": [{"queries": 3}]},
    "dataset": GOOD | {"dataset": "mine"},
    "protocol": GOOD | {"dataset": without("protocol", GOOD["dataset"])},
    "notes": GOOD | {"dataset": GOOD["dataset"] | {"notes": [1]}},
    "chosen": GOOD | {"chosen": {"by": "nobody"}},
    "chosen how": GOOD | {"chosen": {"ways": 3}},
    "epochs": GOOD | {"choosing": 3},
    "files": GOOD | {"files": []},
} | {
    f"without {key}": without(key) for key in ("model", "dataset", "chosen", "status", "fit_seconds", "code")
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_a_record_of_another_shape_is_named_and_left_out(said, tmp_path, capsys):
    board = board_of(tmp_path, said)
    table = main_table.markdown(report.write(board, DATA.fingerprint, 20))
    assert "good" in table and len(read_boards(board)[0][0].rows) == 1
    (told,) = capsys.readouterr().err.strip().splitlines()
    assert told.startswith(f"warning: {board / 'runs' / 'run1' / 'run.json'} is damaged")
    assert not runner.is_done(board / "runs" / "run1")


def test_what_is_no_json_is_named_and_left_out(tmp_path, capsys):
    board = board_of(tmp_path, GOOD)
    for content in (b"", b'{"status": "done"', b"\xff\xfe\x00", b"[" * 100_000):
        (board / "runs" / "run1" / "run.json").write_bytes(content)
        records.tell.cache_clear()
        assert list(records.of_board(board)) == [board / "runs" / "run0"]
        assert "is damaged" in capsys.readouterr().err


def test_scratch_folders_are_no_runs(tmp_path):
    board = board_of(tmp_path)
    for name in (".tmp-abc", ".old-run0"):
        keep(board / "runs" / name, GOOD)
        (board / "runs" / name / INDEXES).write_text("{}")
    (row,) = read_boards(board)[0][0].rows
    assert len(row.done) == 1
    assert "run0" in str(list(records.of_board(board))) and len(records.of_board(board)) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"kinds": [3]}', "{"])
def test_a_comparison_of_indexes_that_is_damaged_is_named_and_left_out(content, tmp_path, capsys):
    board = board_of(tmp_path)
    (board / "runs" / "run0" / INDEXES).write_text(content)
    assert "good" in main_table.markdown(report.write(board, DATA.fingerprint, 20))
    assert f"{INDEXES} is damaged" in capsys.readouterr().err


def test_every_flipped_bit_of_a_record_is_found(tmp_path):
    said = record("good", slices=[{"slice": "warm", "queries": 1, "recall": 0.25, "ndcg": 0.125}])
    folder = tmp_path / "run"
    folder.mkdir()
    records.write(folder, said)
    whole = (folder / "run.json").read_bytes()
    content = records.read(folder)
    assert content.items() >= said.items()
    rng = np.random.default_rng(0)
    for at, bit in zip(rng.integers(len(whole), size=300), rng.integers(8, size=300), strict=True):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        (folder / "run.json").write_bytes(damaged)
        assert records.read(folder) is None


@pytest.fixture(scope="module")
def fitted():
    model = settings.build(registry.get("item_cf"), settings.defaults(registry.get("item_cf")))
    contract.fit(model, DATA, 0)
    return model


@pytest.fixture
def run(fitted, tmp_path):
    """A run with weights and lists, as it is kept."""
    folder = tmp_path / "run"
    folder.mkdir()
    np.savez(folder / "lists.npz", items=np.arange(6))
    fitted.save(folder)
    records.write(folder, record("item_cf"))
    return folder


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json", "lists.npz"])
def test_a_file_with_a_flipped_bit_makes_the_run_undone(name, run, fitted, capsys):
    assert runner.is_done(run) and type(fitted).load(run).last_n == fitted.last_n
    content = bytearray((run / name).read_bytes())
    content[-20] ^= 1
    (run / name).write_bytes(content)
    assert not runner.is_done(run)
    assert f"{run / name} is damaged: its checksum does not hold" in capsys.readouterr().err
    if name != "lists.npz":
        with pytest.raises(InputError, match=f"{name} is damaged: its checksum does not hold"):
            type(fitted).load(run)


def test_what_is_said_anew_of_a_run_keeps_its_checksums(run):
    said = records.read(run)
    records.change(run, said | {"chosen": {"by": "hand"}})
    assert runner.is_done(run) and records.read(run)["files"] == said["files"]


def test_runs_from_before_there_were_checksums_are_read(tmp_path, fitted):
    folder = keep(tmp_path / "run", record("item_cf"))
    fitted.save(folder)
    np.savez(folder / "lists.npz", items=np.arange(6))
    assert runner.is_done(folder)
    assert np.array_equal(type(fitted).load(folder).similarity_.data, fitted.similarity_.data)


JOB = runner.Job(runner.ModelSource("global_hot"), {}, 0, 20, "cpu", "fp32")
MEASURED = {
    key: value
    for key, value in GOOD.items()
    if key not in {*JOB.identity(DATA), "dataset", "chosen", "status"}
}


def crash(*_):
    raise isolation.Crash("its process was killed by SIGKILL")


def measured(_, work):
    (work.folder / "lists.npz").write_bytes(b"lists")
    return MEASURED


def again(monkeypatch, board, work):
    monkeypatch.setattr(isolation, "call", work)
    return runner.run(JOB, DATA, board, "again", True, runner.Keeping())["status"]


def test_a_run_that_fails_takes_no_good_runs_place(monkeypatch, tmp_path, capsys):
    folder = JOB.folder(DATA, tmp_path)
    assert again(monkeypatch, tmp_path, crash) == "failed"
    assert records.read(folder)["reason"] == "its process was killed by SIGKILL"
    assert again(monkeypatch, tmp_path, measured) == "done"
    assert runner.is_done(folder)
    before = (folder / "run.json").read_bytes()
    assert again(monkeypatch, tmp_path, crash) == "failed"
    assert (folder / "run.json").read_bytes() == before and runner.is_done(folder)
    assert "the run that was done before is kept" in capsys.readouterr().out
    (folder / "lists.npz").write_bytes(b"other")
    assert again(monkeypatch, tmp_path, crash) == "failed"
    assert records.read(folder)["status"] == "failed"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_full_disk_says_nothing_of_the_model(monkeypatch, tmp_path):
    def full(*_):
        raise UnwritableError("cannot write lists.npz: No space left on device")

    with pytest.raises(UnwritableError):
        again(monkeypatch, tmp_path, full)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_sealed_file_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        sealed.write(tmp_path / "run.json", {"ndcg": float("nan")})
    sealed.write(tmp_path / "run.json", {"numbers": {1: (2, 3)}})
    assert json.loads((tmp_path / "run.json").read_text())["numbers"] == {"1": [2, 3]}
    assert sealed.read(tmp_path / "run.json")["numbers"] == {"1": [2, 3]}


@pytest.mark.parametrize("parameters", [None, 0, 7])
def test_a_record_may_leave_its_parameters_untold(parameters, tmp_path):
    folder = keep(tmp_path / "run", GOOD | {"parameters": parameters})
    assert records.read(folder)["parameters"] == parameters


def test_a_record_without_parameters_or_with_other_ones_is_damaged(tmp_path):
    for name, said in (("none", without("parameters")), ("text", GOOD | {"parameters": "many"})):
        assert records.read(keep(tmp_path / name, said)) is None


def test_every_record_that_ships_is_read(capsys):
    shipped = list((ROOT / "results").glob("*/runs/*/run.json"))
    assert shipped and all(records.read(path.parent) for path in shipped)
    assert capsys.readouterr().err == ""
