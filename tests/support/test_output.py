"""A reader that goes away ends a command without a word; a child of it goes on in silence."""

import errno
import os
import subprocess
import sys
from argparse import Namespace
from contextlib import contextmanager, redirect_stdout

import pytest

from retrieval_leaderboard import ROOT, chosen
from retrieval_leaderboard.evaluation.reports import terminal
from retrieval_leaderboard.support import errors, progress


@contextmanager
def nobody_reads():
    """Within, the other end of the standard output is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, redirect_stdout(stream):
        yield
        errors.abandoned()


@pytest.mark.parametrize("flush", [True, False], ids=["at once", "in the buffer at the end"])
def test_output_that_nobody_reads_ends_the_command(flush):
    @errors.in_one_sentence
    def command():
        print("a line", flush=flush)
        assert not flush, "it goes on"
        return 0

    with nobody_reads():
        assert command() == errors.ABANDONED


def test_another_pipe_that_breaks_is_a_bug(capsys):
    @errors.in_one_sentence
    def command():
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()


def test_a_child_goes_on_in_silence_and_its_parent_stops(monkeypatch):
    with nobody_reads(), pytest.raises(BrokenPipeError):
        progress.say("in the parent")
    monkeypatch.setattr(progress.multiprocessing, "parent_process", object)
    with nobody_reads():
        progress.say("in the child")
        progress.say("in the child again")


def test_towers_without_pytorch_are_told_where_it_is(monkeypatch):
    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    for models in ("infonce", None):
        with pytest.raises(errors.InputError, match="torch not installed: pip install -r requirements-torch"):
            chosen.sources(Namespace(models=models, model=[]))
    assert chosen.sources(Namespace(models="item_cf,als", model=[])), "classical models need none"


@pytest.mark.parametrize("words", [["run_all.py", "--list"], ["-m", "serving", "--help"]])
def test_commands_whose_reader_is_gone_print_no_traceback(words):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""


def test_a_table_that_nobody_reads_is_no_run_that_failed():
    @errors.in_one_sentence
    def command():
        terminal._console().print("a line" * 20_000)
        return 0

    with nobody_reads():
        assert command() == errors.ABANDONED


def test_a_full_disk_behind_the_output_is_one_sentence(capsys):
    @errors.in_one_sentence
    def command():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert command() == 2
    assert capsys.readouterr().err == "error: the output: No space left on device\n"
