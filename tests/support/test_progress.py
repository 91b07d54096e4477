"""Progress as plain lines, where the output is no terminal."""

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval_leaderboard.support import progress


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


def test_nothing_on_a_thread_that_answers_a_request(clock, capsys):
    def work():
        with progress.bar("ranking", 100, "queries") as advance:
            clock[0] += 10
            advance(50)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(work).result()
    assert capsys.readouterr().out == ""
    work()
    assert capsys.readouterr().out.startswith("ranking: 50 %")


def test_slow_work_has_a_rate_and_long_work_minutes(clock, capsys):
    with progress.bar("training", 1000, "steps") as advance:
        clock[0] = 10.0
        advance(4)
    assert capsys.readouterr().out.splitlines() == ["training: 0 %, 0.4 steps/s, 42 min left"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7170, "2 h 0 min"), (9000, "2 h 30 min")],
)
def test_durations(seconds, said):
    assert progress.duration(seconds) == said


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_of_a_terminal_keeps_the_time_left_whatever_the_note(clock, monkeypatch, width):
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    monkeypatch.setattr(progress.sys, "stdout", out)
    for name, value in (("COLUMNS", str(width)), ("TERM", "xterm"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(name, value)
    note = "loss 0.4925, 2,288 examples/s, valid NDCG@20 0.0955, best 0.0955"
    with progress.bar("simplex_ccl: training", 1000, "steps") as advance:
        clock[0] = 10.0
        advance(400, note)
        clock[0] = 20.0
        advance(400, note)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    frames = [line for line in re.split(r"[\r\n]", plain) if "training" in line]
    assert frames and all(len(line.rstrip()) <= width for line in frames)
    assert "80 %, 40 steps/s, 5 s left" in frames[-1] and "loss 0.49" in frames[-1]
