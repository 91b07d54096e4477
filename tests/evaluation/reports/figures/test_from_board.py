import pytest

from retrieval_leaderboard.evaluation.reports.figures.data import INTERVALS, OVER_SEEDS, best
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.report import report
from tests.evaluation.reports import drawn


@pytest.fixture
def rows(tmp_path):
    return {row.name: row for row in drawn.data(tmp_path).rows}


def test_rows_are_the_best_first_and_a_model_has_one_color(rows):
    assert list(rows) == [
        "bsl (CLI override)", "bsl", drawn.HOSTILE, "item_cf", drawn.AMPERSAND, "global_hot", "als",
    ]  # fmt: skip
    assert rows["bsl (CLI override)"].detail == "epochs=9" and rows["item_cf"].detail == ""
    assert rows["bsl (CLI override)"].color == rows["bsl"].color != rows["item_cf"].color


def test_official_rows_are_told_apart_and_overrides_are_never_the_best(tmp_path):
    found = drawn.data(tmp_path)
    assert [row.name for row in found.official] == ["bsl", "item_cf", "global_hot"]
    assert best(found.official, "ndcg") == pytest.approx(0.17)


def test_costs_of_another_machine_are_left_out(rows):
    assert rows[drawn.AMPERSAND].costs == {} and rows["item_cf"].costs["fit_seconds"] == 2.0
    assert rows["bsl"].costs["fit_seconds"] == 100.0
    assert "peak_gpu_mib" not in rows["item_cf"].costs


def test_a_failed_row_says_why_and_has_no_figures(rows):
    assert rows["als"].reason == "no <b>memory</b>" and not rows["als"].metrics


def test_training_is_the_first_seeds(rows):
    assert rows["bsl"].validation == [(each["epoch"], each["valid_ndcg"]) for each in drawn.EPOCHS]
    assert rows["bsl"].loss[0] == (1, 1.0) and rows["item_cf"].loss == []


def test_slices_without_queries_or_lists_have_no_score(rows):
    scores = {part.slice: part.ndcg for part in rows["item_cf"].slices}
    assert scores == {"warm": 0.2, "cold users": None, "tail": 0.05}


def test_bars_are_of_one_kind(tmp_path):
    board = drawn.board(tmp_path)
    statistics = drawn.statistics(board)
    assert board_data(report(board, statistics)).bars == INTERVALS
    plain = board_data(report(board))
    assert plain.bars == OVER_SEEDS and plain.p_values == {}
    high = {row.name: row.metrics["ndcg"].high for row in plain.rows if row.metrics}
    assert high["bsl"] == pytest.approx(0.17 + 0.004 / 2**0.5)
    at = next(n for n, row in enumerate(board.rows) if len(row.done) == 2)
    statistics.standings[at] = None
    mixed = board_data(report(board, statistics)).rows
    ndcg = {row.name: row.metrics["ndcg"] for row in mixed if row.metrics}
    assert ndcg["bsl"].low == ndcg["bsl"].high, "no spread over seeds among intervals"
    ranks = {row.name: row.rank for row in mixed}
    assert ranks["item_cf"] == "" and ranks[drawn.HOSTILE] == "1–2", "no rank among a few tested rows"


def test_a_board_says_what_its_page_in_markdown_says(tmp_path):
    found = drawn.data(tmp_path)
    assert found.verdict.startswith(
        "Synthetic data. **bsl** leads with NDCG@20 0.1700 (95 % interval 0.1600 to"
    )
    assert found.reference == "item_cf" and found.p_values["item_cf", "global_hot"] == 0.0004
    commands = {row.name: row.commands for row in found.rows}
    assert [("--budget 45m" in each, "--set" in each) for each in commands["bsl"]] == [
        (True, False),
        (False, True),
    ]
    assert len(commands["bsl (CLI override)"]) == 1 and "FILE.py:CLASS" in commands[drawn.HOSTILE][-1]
