"""The mark of rows whose item vectors carry propagation over a graph of items."""

import pytest

from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.labels import labels
from retrieval_leaderboard.evaluation.reports.main_table import markdown
from retrieval_leaderboard.evaluation.reports.propagation import ENOUGH, MARK, propagates
from retrieval_leaderboard.evaluation.testing import contract
from retrieval_leaderboard.evaluation.testing.planted import planted
from retrieval_leaderboard.neural import BSL, rules
from tests.evaluation.reports.test_main_table import DATASET, record


def row(model, neighbors=None, examples="auto", each=20, protocol="published", shipped=False, **more):
    """A row on 100 users with `each` interactions on average; of a model without the setting where None."""
    settings = {} if neighbors is None else {"neighbors": neighbors, "examples": examples}
    about = {"protocol": protocol, "users": 100, "train_valid_interactions": 100 * each}
    return Row(model, settings, [record(0.5, dataset=about, **more)], [], shipped)


def footnotes(*rows):
    return [line for line in markdown(Board(DATASET, "f", 20, list(rows))).splitlines() if line[:1] == MARK]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (row("item_cf"), False),
        (row("bsl", 0), False),
        (row("bsl", 20, each=2), True),
        (row("bsl", "auto", each=15), True),
        (row("bsl", "auto", each=14), False),
        (row("bsl", "auto", protocol="next-item"), False),
        (row("bsl", "auto", examples="user", protocol="next-item"), True),
        (row("bsl", "auto", examples="interaction"), False),
        (row("bsl", 20, examples="interaction", protocol="next-item"), True),
        (row("bsl", "auto", propagates=False), False),
        (row("bsl", "auto", each=2, propagates=True), True),
        (row("mine", propagates=True), True),
    ],
    ids=str,
)
def test_of_records_new_and_old(of, expected):
    assert propagates(of) is expected


def test_a_board_says_which_rows_have_it_and_where_the_plain_ones_are():
    rows = [row("bsl", "auto"), row("infonce", 20), row("infonce", 0), row("item_cf"), row("dssm_bce", 0)]
    assert labels(rows) == [
        "bsl ‡", "infonce (neighbors=20) ‡", "infonce (neighbors=0)", "item_cf", "dssm_bce"
    ]  # fmt: skip
    (note,) = footnotes(*rows)
    assert note.endswith(
        "The same model without it: bsl not run yet (--models bsl --set bsl.neighbors=0); "
        "infonce (neighbors=0)."
    )


def test_a_board_without_it_says_nothing():
    rows = [row("bsl", 0), row("infonce", "auto", each=3), row("item_cf")]
    assert not footnotes(*rows) and not any(MARK in label for label in labels(rows))


def test_the_mark_stands_before_shipped():
    assert labels([row("bsl", "auto", shipped=True)]) == ["bsl ‡, shipped"]


@pytest.mark.parametrize("neighbors", [0, 3])
def test_a_fitted_model_says_whether_it_has_it(neighbors):
    model = BSL(embedding_dim=4, epochs=1, neighbors=neighbors)
    assert not model.propagates
    contract.fit(model, planted(), 0)
    assert model.propagates is (neighbors > 0)


def test_the_rule_has_one_threshold():
    assert ENOUGH == rules.MANY_INTERACTIONS_A_USER
