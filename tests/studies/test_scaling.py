"""Growth: the exponent of what was measured, without times too short to tell."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.studies import scaling
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


def test_sizes_are_compared_by_the_settings_that_most_of_them_have(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "BOARD", tmp_path)
    runs = [(0.1, 10, 100, "2026-01-01"), (1.0, 10, 1000, "2026-01-01"), (1.0, 99, 1000, "2026-01-02")]
    for number, (scale, top_k, size, date) in enumerate(runs):
        said = stored.record(
            "swing", settings={"top_k": top_k}, title=f"aliec-sim, synthetic, scale {scale}",
            train_valid_interactions=size, fit_seconds=float(top_k),
        )  # fmt: skip
        stored.keep(tmp_path / "runs" / str(number), replace(said, date=date))
    assert [each.costs.fit_seconds for each in scaling.points((0.1, 1.0))["swing"]] == [10.0, 10.0]
    assert [each.costs.fit_seconds for each in scaling.points((1.0,))["swing"]] == [99.0]


def test_table():
    text = tables({"swing": [record(1000, 1.0), record(10_000, 10.0)]})["growth"]
    assert "| swing   | fit s     | 1.0     | 10.0     | 1.00       |" in text
