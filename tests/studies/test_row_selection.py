"""Which row of a model the pages compare."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.studies.row_selection import select_rows
from tests.evaluation import stored


def row(by, trials, date):
    return Row("infonce", {}, [replace(stored.record(by=by, trials=trials), date=date)], [])


@pytest.mark.parametrize(("rows", "expected"), [
    ([row("tuning", 30, "2026-11-25"), row("tuning", 9, "2026-11-26")], 0),
    ([row("hand", 9, "2026-11-25"), row("tuning", 9, "2026-11-26")], 1),
    ([row("defaults", 0, "2026-11-25"), row("command line", 0, "2026-11-26")], 0),
    ([row("hand", 90, "2026-11-26"), row("defaults", 0, "2026-11-25")], 1),
    ([row("defaults", 0, "2026-11-26"), row("budget", 4, "2026-11-25"), row("hand", 9, "2026-11-26")], 1),
], ids=["most trials", "newest of equals", "none for one command", "official", "of a budget"])  # fmt: skip
def test_the_row_select_rows(rows, expected) -> None:
    (found,) = select_rows(Board(stored.SUMMARY, "f", 20, rows))
    assert found is rows[expected]
