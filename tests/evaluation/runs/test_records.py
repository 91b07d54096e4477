"""Runs on disk: a damaged one is named and left out, wherever runs are read; a good one is not lost."""

import json
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import (
    ROOT,
)
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.reports.board import Row, read_boards
from retrieval_leaderboard.evaluation.reports.index_section import INDEXES
from retrieval_leaderboard.evaluation.runs import isolation, records, runner
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, UnwritableError
from retrieval_leaderboard.support.storage import sealed
from tests.evaluation import stored
from tests.evaluation.stored import part, record

DATA = planted()
WHOLE = record("good", slices=(part("warm"), part("cold items", 0)))
GOOD = records.as_json(WHOLE)


@pytest.fixture(autouse=True)
def nothing_told_before():
    progress.warn_once.cache_clear()


def keep(folder, said):
    """Write JSON, sealed where it is a mapping."""
    folder.mkdir(parents=True)
    said = sealed.seal(said) if isinstance(said, dict) else said
    (folder / "run.json").write_text(json.dumps(said))
    return folder


def board_of(tmp_path, *said):
    for number, each in enumerate((GOOD, *said)):
        keep(tmp_path / "mine" / "runs" / f"run{number}", each)
    return tmp_path / "mine"


def without(key, said=GOOD):
    return {name: value for name, value in said.items() if name != key}


def result(**changed):
    return GOOD | {"result": GOOD["result"] | changed}


METRICS = GOOD["result"]["metrics"]
ODD = {
    "a list": [],
    "a number": 7,
    "null": None,
    "empty": {},
    "failed without a reason": GOOD | {"result": None},
    "settings": GOOD | {"settings": [1]},
    "k": GOOD | {"k": "20"},
    "seed": GOOD | {"seed": True},
    "date": GOOD | {"date": 20260101},
    "a later version": GOOD | {"schema": 99},
    "no version": GOOD | {"schema": "two"},
    "an unknown key": GOOD | {"color": "red"},
    "too few metrics": result(metrics={"ndcg": 0.5}),
    "another metric": result(metrics=METRICS | {"mrr": "high"}),
    "a figure of a slice": result(slices=[{"slice": "warm", "queries": 0, "random_recall": "low"}]),
    "a metric": result(metrics=METRICS | {"ndcg": "high"}),
    "slices": result(slices=[{"slice": "warm", "queries": 3}]),
    "slice names": result(slices=[{"queries": 3}]),
    "dataset": GOOD | {"dataset": "mine"},
    "protocol": GOOD | {"dataset": without("protocol", GOOD["dataset"])},
    "notes": GOOD | {"dataset": GOOD["dataset"] | {"notes": [1]}},
    "provenance": GOOD | {"provenance": {"by": "nobody"}},
    "provenance how": GOOD | {"provenance": {"ways": 3}},
    "epochs": result(choosing=3),
    "parameters": result(costs=GOOD["result"]["costs"] | {"parameters": "many"}),
    "files": GOOD | {"files": []},
} | {f"without {key}": without(key) for key in ("model", "dataset", "result", "code", "schema")}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_a_record_of_another_shape_is_named_and_left_out(said, tmp_path, capsys):
    board = board_of(tmp_path, said)
    leaderboard.derive(board)
    assert "| good" in (board / leaderboard.LEADERBOARD).read_text()
    assert len(read_boards(board)[0][0].rows) == 1
    (told,) = capsys.readouterr().err.strip().splitlines()
    assert told.startswith(f"warning: {board / 'runs' / 'run1' / 'run.json'} is damaged")
    assert not runner.is_done(board / "runs" / "run1")


def test_what_is_no_json_is_named_and_left_out(tmp_path, capsys):
    board = board_of(tmp_path, GOOD)
    for content in (b"", b'{"status": "done"', b"\xff\xfe\x00", b"[" * 100_000):
        (board / "runs" / "run1" / "run.json").write_bytes(content)
        progress.warn_once.cache_clear()
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
    leaderboard.derive(board)
    assert "| good" in (board / leaderboard.LEADERBOARD).read_text()
    assert f"{INDEXES} is damaged" in capsys.readouterr().err


def test_every_flipped_bit_of_a_record_is_found(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    records.write(folder, WHOLE)
    whole = (folder / "run.json").read_bytes()
    assert records.read(folder) == WHOLE
    rng = np.random.default_rng(0)
    for at, bit in zip(rng.integers(len(whole), size=300), rng.integers(8, size=300), strict=True):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        (folder / "run.json").write_bytes(damaged)
        assert records.read(folder) is None


@pytest.fixture(scope="module")
def fitted():
    model = settings.build(registry.get("item_cf"), settings.defaults(registry.get("item_cf")))
    harness.fit(model, DATA, 0)
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
    records.change(run, replace(said, provenance=Provenance("hand")))
    assert runner.is_done(run) and records.read(run).files == said.files


JOB = runner.Job(runner.ModelSource("global_hot"), {}, 0, 20, "cpu", "fp32")


def crash(*_):
    raise isolation.Crash("its process was killed by SIGKILL")


def measured(_, work):
    (work.folder / "lists.npz").write_bytes(b"lists")
    return {}, WHOLE.result


def again(monkeypatch, board, work):
    monkeypatch.setattr(isolation, "call", work)
    return runner.run(JOB, DATA, board, "again", True, runner.CheckpointPolicy()).is_done


def test_a_run_that_fails_takes_no_good_runs_place(monkeypatch, tmp_path, capsys):
    folder = JOB.folder(DATA, tmp_path)
    assert not again(monkeypatch, tmp_path, crash)
    assert records.read(folder).reason == "its process was killed by SIGKILL"
    assert again(monkeypatch, tmp_path, measured)
    assert runner.is_done(folder)
    before = (folder / "run.json").read_bytes()
    assert not again(monkeypatch, tmp_path, crash)
    assert (folder / "run.json").read_bytes() == before and runner.is_done(folder)
    assert "the run that was done before is kept" in capsys.readouterr().out
    (folder / "lists.npz").write_bytes(b"other")
    assert not again(monkeypatch, tmp_path, crash)
    assert not records.read(folder).is_done
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
    folder = stored.keep(tmp_path / "run", record(parameters=parameters))
    assert records.read(folder).costs.parameters == parameters


def test_every_record_that_ships_is_read(capsys):
    shipped = list((ROOT / "results").glob("*/runs/*/run.json"))
    assert shipped and all(records.read(path.parent) for path in shipped)
    assert capsys.readouterr().err == ""


def test_an_official_record_stays_official_and_that_of_a_budget_above_all(monkeypatch, tmp_path):
    assert again(monkeypatch, tmp_path, measured)
    folder = JOB.folder(DATA, tmp_path)
    told = {"tuning": "defaults", "hand": "defaults", "budget": "budget", "defaults": "budget"}
    for by, kept in told.items():
        runner.update_provenance(replace(JOB, provenance=Provenance(by)), folder)
        assert records.read(folder).provenance.by == kept
    job = replace(JOB, provenance=Provenance("hand"))
    assert runner.run(job, DATA, tmp_path, "again", True, runner.CheckpointPolicy()).provenance.by == "budget"
    assert not again(monkeypatch, tmp_path / "failed", crash)
    record = runner.run(job, DATA, tmp_path / "failed", "again", True, runner.CheckpointPolicy())
    assert record.provenance.by == "hand", "what failed says nothing"


def test_a_row_is_official_where_one_of_its_runs_is():
    runs = [replace(WHOLE, seed=seed, date=f"2026-01-0{seed + 1}") for seed in range(3)]
    runs[1:] = [replace(run, provenance=Provenance("tuning", trials=run.seed)) for run in runs[1:]]
    assert Row("good", {}, runs, []).provenance.by == "defaults"
    assert Row("good", {}, runs[1:], []).provenance.trials == 2, "else the newest says"
