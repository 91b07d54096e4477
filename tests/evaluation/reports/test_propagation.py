"""The mark of rows whose item vectors carry propagation over a graph of items."""

import pytest

from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.labels import labels
from retrieval_leaderboard.evaluation.reports.pages.warnings import marks
from retrieval_leaderboard.evaluation.reports.propagation import MARK
from retrieval_leaderboard.neural import BSL
from tests.evaluation import stored
from tests.evaluation.reports.boards import without_tests


def row(model, neighbors=None, propagates=False, shipped=False):
    """Of a model without the setting where `neighbors` is None."""
    settings = {} if neighbors is None else {"neighbors": neighbors}
    return Row(model, settings, [stored.record(model, propagates=propagates)], [], shipped)


def footnotes(*rows):
    return [line for line in marks(without_tests(*rows)) if line[:1] == MARK]


def test_a_board_says_which_rows_have_it_and_where_the_plain_ones_are():
    rows = [row("bsl", "auto", True), row("infonce", 20, True)]
    rows += [row("infonce", 0), row("item_cf"), row("dssm_bce", 0)]
    assert labels(rows) == [
        "bsl ‡", "infonce (neighbors=20) ‡", "infonce (neighbors=0)", "item_cf", "dssm_bce"
    ]  # fmt: skip
    (note,) = footnotes(*rows)
    assert note.endswith(
        "Rows without it, which may have other settings too: bsl not run yet (--models bsl --set "
        "bsl.neighbors=0); infonce (neighbors=0)."
    )


def test_a_board_without_it_says_nothing():
    rows = [row("bsl", 0), row("infonce", "auto"), row("item_cf")]
    assert not footnotes(*rows) and not any(MARK in label for label in labels(rows))


def test_the_mark_stands_before_shipped():
    assert labels([row("bsl", "auto", True, shipped=True)]) == ["bsl ‡, shipped"]


@pytest.mark.parametrize("neighbors", [0, 3])
def test_a_fitted_model_says_whether_it_has_it(neighbors):
    model = BSL(embedding_dim=4, epochs=1, neighbors=neighbors)
    assert not model.propagates
    harness.fit(model, planted(), 0)
    assert model.propagates is (neighbors > 0)
