"""Bad input, and what the system refuses, end a command with one line that any terminal can show."""

import errno

import pytest

from retrieval_leaderboard.support.errors import InputError, in_one_sentence


def ended(capsys, error):
    @in_one_sentence
    def command():
        raise error

    return command(), capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("--set a\r\nb\nc", "--set a b c"),
        ("a\x0c\0\x1b[31mb", "a\\x0c\\x00\\x1b[31mb"),
        ("\ufeff1 and \ud800", "\\ufeff1 and \\ud800"),
        ("é, Δ and a\ttab stay", "é, Δ and a\ttab stay"),
    ],
)
def test_a_message_is_one_line_of_what_can_be_shown(capsys, message, shown):
    assert ended(capsys, InputError(message)) == (2, f"error: {shown}\n")


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP, errno.EMFILE])
def test_what_the_system_refuses_is_named(capsys, number):
    assert ended(capsys, OSError(number, "No", "results/x")) == (2, "error: results/x: No\n")


def test_a_bug_keeps_its_traceback(capsys):
    for error in (FileNotFoundError(errno.ENOENT, "No", "x"), OSError(errno.EACCES, "No"), ValueError("bug")):
        with pytest.raises(type(error)):
            ended(capsys, error)
