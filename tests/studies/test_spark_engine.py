"""The page on Spark: what was measured, and what it comes to for larger logs."""

from retrieval_leaderboard.studies import spark_engine
from retrieval_leaderboard.studies.spark_engine import Case, Record
from retrieval_leaderboard.support import pages


def record(dataset, equal=True):
    names = ("item_cf: fit", "swing: fit")
    cases = tuple(Case(name, 2.0, 3.6, 10_000_000, 5_000_000, equal) for name in names)
    return Record(dataset, "local[2]", 1_000_000, 50_000, 20_000, cases, "a processor", "abc", "2026-11-28")


def test_the_growth_is_the_measured_times_the_ratio():
    lines = spark_engine.tables([record("gowalla")])["growth"].splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == ["1,000,000,000", "item_cf: fit", "0", "10.0", "0.2", "5.0", "10.0", "1.0"]
    assert len(lines) == 2 + 2 * len(spark_engine.SIZES)


def test_other_bits_are_not_hidden():
    assert "NO" in spark_engine.tables([record("ml-100k", equal=False)])["measured"]


def test_without_records_nothing_is_claimed():
    assert set(spark_engine.tables([]).values()) == {pages.NOT_MEASURED}
    assert spark_engine.tables([record("ml-100k")])["growth"] == pages.NOT_MEASURED
