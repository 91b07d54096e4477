import pytest

from retrieval_leaderboard.evaluation.reports import formats
from retrieval_leaderboard.evaluation.reports.figures.data import INTERVALS, OVER_SEEDS
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.figures.verdict import verdict
from tests.evaluation import stored
from tests.evaluation.reports import drawn


@pytest.fixture
def rows(tmp_path):
    return {row.name: row for row in drawn.data(tmp_path).rows}


def test_rows_are_the_best_first_and_numbered_where_a_model_has_several(rows):
    assert list(rows) == [
        "bsl 1", "bsl 2", drawn.HOSTILE, "item_cf", drawn.AMPERSAND, "global_hot", "als",
    ]  # fmt: skip
    assert rows["bsl 1"].detail == "epochs=9" and rows["item_cf"].detail == ""
    assert rows["bsl 1"].color == rows["bsl 2"].color != rows["item_cf"].color


def test_official_rows_are_told_apart_and_overrides_are_never_the_best(tmp_path):
    found = drawn.data(tmp_path)
    assert [row.name for row in found.official] == ["bsl 2", "item_cf", "global_hot"]
    assert found.best("ndcg") == pytest.approx(0.17)


def test_costs_of_another_machine_are_left_out(rows):
    assert rows[drawn.AMPERSAND].costs == {} and rows["item_cf"].costs["fit_seconds"] == 2.0
    assert rows["bsl 2"].costs["fit_seconds"] == 100.0
    assert "peak_gpu_mib" not in rows["item_cf"].costs


def test_a_failed_row_says_why_and_has_no_figures(rows):
    assert rows["als"].reason == "no <b>memory</b>" and not rows["als"].metrics


def test_training_is_the_first_seeds(rows):
    assert rows["bsl 2"].validation == [(each["epoch"], each["valid_ndcg"]) for each in drawn.EPOCHS]
    assert rows["bsl 2"].loss[0] == (1, 1.0) and rows["item_cf"].loss == []


def test_slices_without_queries_or_lists_have_no_score(rows):
    scores = {part.slice: part.ndcg for part in rows["item_cf"].slices}
    assert scores == {"warm": 0.2, "cold users": None, "tail": 0.05}


def test_tests_follow_the_order_of_the_rows(tmp_path):
    board = drawn.board(tmp_path)
    statistics = drawn.statistics(board)
    found = board_data(board, statistics)
    assert found.rows[-1].model == "als" and found.p_values[-1] == [None] * len(found.rows)
    names = [row.name for row in found.rows]
    near, far = names.index("item_cf"), names.index("global_hot")
    assert found.p_values[near][names.index(drawn.HOSTILE)] == 0.3 and found.p_values[near][far] == 0.0004
    assert found.reference == "item_cf" and found.bars == INTERVALS


def test_bars_are_of_one_kind(tmp_path):
    board = drawn.board(tmp_path)
    plain = {row.name: row for row in board_data(board).rows}
    assert board_data(board).bars == OVER_SEEDS and board_data(board).p_values == []
    assert plain["bsl 2"].metrics["ndcg"].high == pytest.approx(0.17 + 0.004 / 2**0.5)
    statistics = drawn.statistics(board)
    at = next(n for n, row in enumerate(board.rows) if len(row.done) == 2)
    statistics.standings[at] = None
    mixed = {row.name: row.metrics["ndcg"] for row in board_data(board, statistics).rows if row.metrics}
    assert mixed["bsl 2"].low == mixed["bsl 2"].high, "no spread over seeds among intervals"


def test_the_verdict_names_the_best_row_its_lead_and_its_cost(tmp_path):
    assert verdict(drawn.data(tmp_path)) == (
        "bsl 2 has the best NDCG@20: 0.1700 (95 % interval 0.1600 to 0.1800), +0.0200 (+0.0100 to +0.0300) "
        "over item_cf, at 50 times its time to fit."
    )


def test_a_command_names_the_data_the_model_and_what_is_no_default(rows):
    assert rows["global_hot"].command.endswith("--models global_hot --set global_hot.epochs=3")
    assert f"--model 'FILE.py:{drawn.HOSTILE}'" in rows[drawn.HOSTILE].command
    assert rows["bsl 2"].command.endswith("--models bsl --seeds 2 --budget 45m")
    assert rows["bsl 1"].command.endswith("--models bsl --set bsl.epochs=9")


def boards(tmp_path, *said):
    for number, each in enumerate(said):
        stored.keep(tmp_path / "runs" / f"run-{number}", stored.record(fingerprint=f"f{number}", **each))
    return [family[0] for family in formats.read_boards(tmp_path)]


def test_files_are_called_by_what_boards_differ_in(tmp_path):
    assert formats.stems(boards(tmp_path / "one", {})) == ["leaderboard"]
    two = boards(
        tmp_path / "two", {"protocol": "next-item"}, {"protocol": "next-item", "exclude_seen": False}
    )
    assert sorted(formats.stems(two)) == ["all", "unseen"]
    k = boards(tmp_path / "k", {"k": 10}, {"k": 20, "title": "other, scale 0.1"})
    assert sorted(formats.stems(k)) == ["other-scale-0.1-top-20", "planted-top-10"]
    assert sorted(formats.stems(boards(tmp_path / "same", {}, {}))) == ["-f0", "-f1"]
