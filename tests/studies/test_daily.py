"""The page of warm starts is what its records say."""

import pytest

from retrieval_leaderboard.datasets.aliec import generated
from retrieval_leaderboard.studies import daily
from retrieval_leaderboard.studies.daily import Day, Record
from retrieval_leaderboard.support import pages


def test_a_row_is_a_model_over_the_days():
    steps = Day("day 6", 0.25, 2.0, 0.5, 0.1, 0.11), Day("day 7", 0.2, 2.0, 0.3, 0.2, 0.199)
    record = Record("aliec-sim", "als", "iterations 15 → 3", steps, "a processor", "abc", "2026-11-29")
    tables = daily.tables([record])
    assert [cell.strip() for cell in tables["days"].splitlines()[2].strip("|").split("|")] == [
        *("aliec-sim", "als", "20% to 25%", "4.00", "0.80", "0.20", "0.2000", "0.1990", "+10.0%, -0.5%")
    ]
    assert tables["passes"] == "Passes: als iterations 15 → 3 (aliec-sim)."
    assert tables["made"] == "Measured on one thread: a processor, abc, 2026-11-29."


def test_without_records_nothing_is_claimed():
    assert set(daily.tables([]).values()) == {pages.NOT_MEASURED}


@pytest.mark.slow
def test_a_warm_start_of_item_cf_answers_as_a_fit(tmp_path):
    record = daily.measure(generated.load(tmp_path, 0.003), "item_cf")
    assert [step.test for step in record.days] == ["day 6", "day 7", "day 8"]
    assert all(step.warm_ndcg == step.full_ndcg > 0 for step in record.days)
    assert all(0 < step.changed < 1 for step in record.days)
