"""Growth: the exponent of what was measured, without times too short to tell."""

import pytest

from retrieval_leaderboard.studies.scaling import exponent, tables
from tests.evaluation import stored


def record(size, seconds):
    return stored.record(
        train_valid_interactions=size, fit_seconds=seconds, recommend_seconds=0.01, peak_rss_mib=100.0
    )


def test_exponent_of_a_power_law():
    records = [record(10**power, 0.001 * (10**power) ** 1.5) for power in (2, 3, 4)]
    assert exponent(records, "fit_seconds") == pytest.approx(1.5)
    assert exponent(records, "peak_rss_mib") == pytest.approx(0.0)
    assert exponent(records, "recommend_seconds") is None


def test_table():
    text = tables({"swing": [record(1000, 1.0), record(10_000, 10.0)]})["growth"]
    assert "| swing   | fit s     | 1.0     | 10.0     | 1.00       |" in text
