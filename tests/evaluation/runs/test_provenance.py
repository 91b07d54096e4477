"""How settings came about, where several ways led to them."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.runs.provenance import Provenance

BUDGET, DEFAULTS = Provenance("budget", trials=9, cap_minutes=5.0), Provenance()
SEARCHED, BY_HAND, ASKED = Provenance("tuning", trials=30), Provenance("hand"), Provenance("command line")


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (ASKED, SEARCHED, SEARCHED),
        (ASKED, BY_HAND, BY_HAND),
        (SEARCHED, DEFAULTS, DEFAULTS),
        (DEFAULTS, BUDGET, BUDGET),
        (SEARCHED, BY_HAND, SEARCHED),
        (BY_HAND, SEARCHED, BY_HAND),
        (replace(BUDGET, other_data=True), DEFAULTS, DEFAULTS),
        (DEFAULTS, replace(BUDGET, other_data=True), DEFAULTS),
    ],
)
def test_what_a_run_has_that_two_ways_led_to(one, other, kept):
    assert one.beside(other) == kept


def test_a_budget_on_other_data_is_no_official_one():
    assert BUDGET.official and not Provenance("budget", cap_minutes=5.0, other_data=True).official
