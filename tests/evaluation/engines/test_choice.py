"""An engine that cannot be is refused in one sentence, before any data is read."""

import socket
from argparse import Namespace

import pytest

from retrieval_leaderboard import chosen, cli
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.support import spark
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def with_spark(monkeypatch):
    monkeypatch.setattr(spark, "available", lambda: "")
    monkeypatch.setattr(engines.choice, "_asked", engines.THREADS)  # Restored, whatever is asked for.


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_threads_need_nothing():
    engines.Choice().check()


def test_a_master_needs_spark():
    with pytest.raises(InputError, match="--master local is for --engine spark"):
        engines.Choice("local", "local").check()


@pytest.mark.parametrize("master", ["", "local[]", "local[two]", "spark://host", "http://host:7077", "mesos"])
def test_an_odd_master_is_refused(with_spark, master):
    with pytest.raises(InputError, match="is no master of Spark: give local"):
        engines.Choice("spark", master).check()


@pytest.mark.parametrize("master", [None, "local", "local[2]", "local[*]", "yarn", "k8s://https://host:443"])
def test_masters_of_spark_are_taken(with_spark, master):
    engines.Choice("spark", master).check()


def test_a_master_that_does_not_answer_is_refused(with_spark):
    with pytest.raises(InputError, match="nothing answers there: Connection refused"):
        engines.Choice("spark", f"spark://127.0.0.1:{unused_port()}").check()


def test_a_master_that_answers_is_taken(with_spark):
    with socket.create_server(("127.0.0.1", 0)) as server:
        engines.Choice("spark", f"spark://127.0.0.1:{server.getsockname()[1]}").check()


@pytest.mark.parametrize(("options", "sentence"), [
    (["--engine", "spark"], "error: --engine spark: Spark needs Java"),
    (["--master", "local[2]"], "error: --master local[2] is for --engine spark"),
    (["--grouped"], "error: --grouped is for --engine spark: add that, or leave it out"),
])  # fmt: skip
def test_the_command_says_so_and_ends_with_2(monkeypatch, capsys, options, sentence):
    monkeypatch.setattr(spark, "available", lambda: "Spark needs Java, and there is none")
    assert cli.main([*options, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.count("\n") == 1


def test_a_model_that_is_given_the_whole_log_is_not_grouped(with_spark, capsys):
    said = "--engine", "spark", "--grouped", "--quiet", "--models"
    assert cli.main([*said, "item_cf,als,global_hot"]) == 2
    assert capsys.readouterr().err == (
        "error: --grouped: the fit of als shares the whole log; global_hot, item_cf, rp3beta, swing can do "
        "without: name these by --models, or leave --grouped out\n"
    )


def test_a_warm_start_is_not_grouped(tmp_path):
    options = Namespace(grouped=True, warm_start=[tmp_path])
    with pytest.raises(
        InputError, match=r"^--grouped is for fits from scratch: leave it or --warm-start out$"
    ):
        chosen.check_grouped(options, [])


def test_an_unknown_engine_ends_with_2(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--engine", "dask"])
    assert ended.value.code == 2
    assert "invalid choice: 'dask'" in capsys.readouterr().err
