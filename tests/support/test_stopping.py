"""What ends a command as Ctrl-C does."""

import signal

import pytest

from retrieval_leaderboard.support.stopping import ENDING, interrupting


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
