"""What ends a command as Ctrl-C does, and how the end of a process is told."""

import signal

import pytest

from retrieval_leaderboard.support.stopping import ENDING, death, interrupting


@pytest.fixture
def heard():
    """The handlers before are those after."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING}
    yield
    for number, handler in before.items():
        assert signal.signal(number, handler) == signal.SIG_DFL


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_interrupts_once(number, heard):
    with pytest.raises(KeyboardInterrupt), interrupting():
        try:
            signal.raise_signal(number)
        finally:
            for again in ENDING:  # A terminal tells twice, while the state is being kept.
                signal.raise_signal(again)


def test_what_nohup_ignores_stays_ignored(heard):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interrupting():
        signal.raise_signal(signal.SIGHUP)
    assert signal.signal(signal.SIGHUP, signal.SIG_DFL) == signal.SIG_IGN


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (3, "ended with exit code 3"),
        (-signal.SIGTERM, "was killed by SIGTERM"),
        (-signal.SIGKILL, "was killed by SIGKILL (the system ran out of memory?)"),
        (-50, "was killed by signal 50"),
    ],
)
def test_the_end_of_a_process(code, told):
    assert death(code) == told
