"""Tables and metrics are derived again from stored runs, and nothing is fitted for it."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.metrics.registry import LIST_LEVEL, PER_QUERY, Metric
from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.support import progress
from tests.evaluation.stored import record


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "mine.csv"
    rng = np.random.default_rng(0)
    lines = [f"{user},{item},{at}" for at, (user, item) in enumerate(rng.integers(30, size=(600, 2)))]
    path.write_text("\n".join(["user_id,item_id,timestamp", *dict.fromkeys(lines)]) + "\n")
    return path


@pytest.fixture
def run(log, tmp_path):
    """A finished run of Global Hot on the log, with its lists; its board is written."""
    from retrieval_leaderboard.datasets import load

    progress.warn_once.cache_clear()
    dataset = load(str(log), tmp_path)
    model = GlobalHot()
    harness.fit(model, dataset, 0)
    found = harness.evaluate(model, dataset, 10)
    measured = {"metrics": found.metrics, "slices": tuple(found.slices), "curve": found.curve}
    said = record("global_hot", dataset, **measured, k=10)
    folder = tmp_path / "results" / dataset.name / "runs" / said.stem
    folder.mkdir(parents=True)
    np.savez(folder / records.LISTS, items=found.items)
    records.write(folder, said)
    leaderboard.derive(folder.parent.parent)
    return folder


def command(name, run, *words):
    return main([name, "--results-dir", str(run.parents[2]), *words])


def tables(run):
    board = run.parents[1]
    return [(board / name).read_bytes() for name in (leaderboard.LEADERBOARD, leaderboard.TABLE)] + [
        (board.parent / "README.md").read_bytes()
    ]


def test_tables_are_written_again_as_they_were(run):
    before = tables(run)
    for path in (*run.parents[1].glob("leaderboard.*"), run.parents[2] / "README.md"):
        path.unlink()
    assert command("report", run) == 0
    assert tables(run) == before


def test_damaged_lists_are_named_and_what_their_run_measured_stays(run, capsys):
    before = tables(run)
    (run / records.LISTS).write_bytes(b"lists")
    assert command("report", run) == 0
    printed = capsys.readouterr()
    assert str(run / records.LISTS) in printed.out + printed.err
    assert "counts as not done" in printed.out + printed.err and tables(run) == before


def test_metrics_come_back_from_the_lists(run, log):
    before = records.read(run)
    wrong = replace(before.measured, metrics=dict.fromkeys(before.measured.metrics, 0.0), slices=(), curve=())
    records.change(run, replace(before, result=wrong))
    for words in ([], ["--dataset", "mine"], ["--dataset", str(log)], ["--interactions", str(log)]):
        records.change(run, replace(before, result=wrong))
        assert command("score", run, *words) == 0
        assert records.read(run) == before and records.is_whole(run, before)


def test_metrics_of_other_lengths_come_back_too(run, log):
    before = records.read(run)
    with np.load(run / records.LISTS) as stored:
        items = stored["items"]
    wrong = replace(before.measured, at={"4": {}})
    records.change(run, replace(before, result=wrong))
    assert command("score", run, "--dataset", str(log)) == 0
    after = records.read(run).measured
    assert after.metrics == before.measured.metrics and after.at["4"]["recall"] < after.metrics["recall"]
    assert f" {after.at['4']['ndcg']:.4f} |" in (run.parents[1] / leaderboard.LEADERBOARD).read_text()
    np.savez(run / records.LISTS, items=items[:, :4])
    records.write(run, replace(before, k=2, result=wrong))
    assert command("score", run, "--dataset", str(log)) == 0, "the lists are as long as the longest"


def test_data_that_is_gone_moved_or_not_remembered(run, log, tmp_path, capsys):
    before = records.read(run)
    assert before.dataset.source == {"interactions": [str(log)]}
    moved = tmp_path / "moved.csv"
    moved.write_text(log.read_text().replace("user_id", "who"))
    gone = replace(before.dataset, source={"interactions": ["gone.csv"], "columns": {"user": "who"}})
    records.change(run, replace(before, dataset=gone))
    assert command("score", run) == 2
    error = capsys.readouterr().err
    assert "the data of mine is not to be had as the run had it: gone.csv: there is no such file" in error
    assert command("score", run, "--interactions", str(moved)) == 0
    assert "1 runs scored" in capsys.readouterr().out, "how it is read is remembered still"
    records.change(run, replace(before, dataset=replace(before.dataset, source={})))
    assert command("score", run) == 2
    assert "the record of mine does not say what it was made of: give its files" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", ["time", "random", "leave-last-one"])
def test_data_of_ones_own_is_loaded_again_by_any_protocol(log, protocol):
    from retrieval_leaderboard.datasets import load
    from retrieval_leaderboard.evaluation.__main__ import parser
    from retrieval_leaderboard.evaluation.runs import reload
    from retrieval_leaderboard.evaluation.runs.record import DatasetSummary

    dataset = load(str(log), protocol=protocol)
    again = reload.dataset(DatasetSummary.of(dataset), [], parser().parse_args(["score"]))
    assert (again.fingerprint, again.carve) == (dataset.fingerprint, dataset.carve)


@pytest.mark.parametrize("form", ["file", "pattern", "dataset file"])
def test_data_that_moved_and_has_another_name(run, log, tmp_path, capsys, form):
    gone = replace(records.read(run).dataset, source={"interactions": ["gone.csv"]})
    records.change(run, replace(records.read(run), dataset=gone))
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "other.csv").write_text(log.read_text())
    (tmp_path / "new" / "other.yaml").write_text("interactions: other.csv")
    place = str(tmp_path / "new" / {"file": "other.csv", "pattern": "other*.csv"}.get(form, "other.yaml"))
    assert command("score", run, "--dataset", place) == 2
    error = capsys.readouterr().err
    assert (
        "is about a dataset 'other'" in error and "only about mine; say whose data this is: --runs" in error
    )
    assert command("score", run, "--runs", "mine", "--dataset", place) == 0
    assert "1 runs scored" in capsys.readouterr().out
    assert command("score", run, "--runs", "mime", "--dataset", place) == 2
    assert "did you mean 'mine'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ({"items": ["gone.csv"]}, "--items"),
        ({"users": ["gone.csv"]}, "--users"),
        ({"item_vectors": {"look": "gone.npy"}}, "--item-vectors"),
    ],
)
def test_what_lay_beside_a_log_is_asked_for_by_its_own_option(run, log, capsys, place, advice):
    about = replace(records.read(run).dataset, source={"interactions": [str(log)]} | place)
    records.change(run, replace(records.read(run), dataset=about))
    for words in ([], ["--dataset", str(log)]):
        assert command("score", run, *words) == 2
        error = capsys.readouterr().err
        assert "gone." in error and f"where it lies elsewhere, give {advice}\n" in error


def test_a_named_dataset_is_found_where_it_was(tmp_path, monkeypatch):
    from retrieval_leaderboard.datasets import load
    from retrieval_leaderboard.evaluation.__main__ import parser
    from retrieval_leaderboard.evaluation.runs import reload
    from retrieval_leaderboard.evaluation.runs.record import DatasetSummary

    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    options = parser().parse_args(["score"])
    folder = tmp_path / "data" / "amazon-cds"
    folder.mkdir(parents=True)
    test = {user: range(user % 40, user % 40 + 10) for user in range(1, 100)}
    train = {0: range(50)} | {user: sorted({*range(50)} - {*rows}) for user, rows in test.items()}
    for name, users in (("train.txt", train), ("test.txt", test)):
        lines = (f"{user} {' '.join(map(str, rows))}\n" for user, rows in users.items())
        (folder / name).write_text("".join(lines))
    datasets = (
        load("aliec-sim", tmp_path / "data", scale=0.002, split_seed=2),
        load("amazon-cds", tmp_path / "data", carve="as-test"),
        load("amazon-cds", tmp_path / "data", carve="draw"),
    )
    assert [dataset.carve for dataset in datasets] == ["", "block", "draw"]
    for dataset in datasets:
        again = reload.dataset(DatasetSummary.of(dataset), [], options)
        assert (again.fingerprint, again.carve) == (dataset.fingerprint, dataset.carve)


def test_a_new_metric_needs_no_new_fit(run, log, monkeypatch):
    first = Metric("first", "First", lambda hits: np.where(hits.known, hits.hit[:, 0], np.nan), True)
    monkeypatch.setitem(PER_QUERY, "first", first)
    monkeypatch.setitem(
        LIST_LEVEL, "filled", Metric("filled", "filled", lambda items, _: (items >= 0).mean())
    )
    assert command("score", run, "--dataset", str(log)) == 0
    found = records.read(run).measured
    assert 0 <= found.metrics["first"] <= 1 and found.metrics["filled"] == 1.0
    assert all(
        "first" in part.metrics and "filled" not in part.metrics for part in found.slices if part.queries
    )
    header, line = (run.parents[1] / leaderboard.TABLE).read_text().splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=False))
    assert cells["first@10"] == f"{found.metrics['first']:.6f}" and cells["filled@10"] == "1.000000"
    assert "| First@10 |" not in (run.parents[1] / leaderboard.LEADERBOARD).read_text(), ()


@pytest.mark.parametrize("what", ["no lists", "other data", "damaged lists"])
def test_runs_that_cannot_be_scored_are_named_and_left(run, log, what, capsys):
    if what == "no lists":
        (run / records.LISTS).unlink()
        records.write(run, records.read(run))
    elif what == "other data":
        records.change(run, replace(records.read(run), fingerprint="other"))
    else:
        (run / records.LISTS).write_bytes(b"lists")
    before = (run / "run.json").read_bytes()
    assert command("score", run, "--dataset", str(log)) == 2
    assert (run / "run.json").read_bytes() == before
    printed = capsys.readouterr()
    assert str(run) in printed.out + printed.err and "0 runs scored" in printed.out
    assert "could be scored: give the data that they are about, by --dataset, --items" in printed.err
    assert ("did its files or its options change?" in printed.out + printed.err) == (what == "other data")


def test_lists_that_do_not_fit_are_one_sentence(run, log, capsys):
    np.savez(run / records.LISTS, items=np.zeros((3, 10), np.int32))
    records.write(run, records.read(run))
    assert command("score", run, "--dataset", str(log)) == 2
    assert "lists.npz cannot be scored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "--results-dir", "nowhere"], "no run is stored under nowhere: give --results-dir"),
        (["report", "--dataset", "mime"], "did you mean 'mine'"),
        (["time", "--threads", "0"], "--threads 0: give 1 to "),
        (["time", "--threads", "-2"], "--threads -2: give 1 to "),
        (["time", "--threads", "100000"], "the cores that this process may run on"),
        (["migrate", "--scores-dir", "nowhere"], "--scores-dir nowhere: there is no such folder"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, words, message, capsys):
    given = [] if "--results-dir" in words else ["--results-dir", str(run.parents[2])]
    assert main([*words, *given]) == 2
    assert message in capsys.readouterr().err
