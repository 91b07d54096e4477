"""Progress as plain lines, where the output is no terminal."""

import pytest

from support import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_lines_with_share_rate_time_left_and_the_last_note(clock, capsys):
    with progress.bar("training", 100, "steps") as advance:
        advance(10, "loss 0.5")
        clock[0] = 4.0
        advance(30)
        advance(1)
        clock[0] = 10.0
        advance(39)
    assert capsys.readouterr().out.splitlines() == [
        "training: 40 %, 10 steps/s, 6 s left loss 0.5",
        "training: 80 %, 8 steps/s, 2 s left loss 0.5",
    ]


def test_nothing_within_two_seconds_nor_inside_another_bar_nor_when_quiet(clock, capsys):
    with progress.bar("outer", 2, "parts") as outer, progress.bar("inner", 2, "parts") as inner:
        outer(1)
        clock[0] = 100.0
        inner(1)
    progress.configure(quiet=True)
    with progress.bar("quiet", 2, "parts") as advance:
        clock[0] = 200.0
        advance(1)
        progress.say("nothing")
    progress.configure(quiet=False)
    assert capsys.readouterr().out == ""
    with progress.bar("after", 2, "parts") as advance:
        clock[0] = 300.0
        advance(1)
    assert "after: 50 %" in capsys.readouterr().out
