"""The page on Spark: what fits that shuffle histories take, and what it comes to for larger logs."""

from retrieval_leaderboard.evaluation.engines import histories
from retrieval_leaderboard.studies import spark_grouped
from retrieval_leaderboard.studies.spark_grouped import Case, Record
from retrieval_leaderboard.support import pages


def record(dataset, equal=True):
    cases = (
        Case("item_cf", 0, 10**8, 240, 0.1464, 2.0, 36.0, 10**8, 10**6, 5 * 10**6, equal),
        Case("swing", 30, 10**7, 40, 0.15, 3.0, 18.0, 10**7, 10**6, 10**6, equal),
    )
    return Record(dataset, "local[2]", 1_000_000, 1_000_000, cases, "a processor", "abc", "2026-11-29")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_growth_is_the_measured_times_the_ratio(monkeypatch):
    monkeypatch.setattr(histories, "BLOCK_BYTES", 10**9)
    lines = spark_grouped.tables([record("gowalla")])["grouped growth"].splitlines()
    # Four times a block, and 28 bytes for each of 10⁹ items.
    assert cells(lines[2]) == ["1,000,000,000", "item_cf", "none", "100.0", "1.0", "32.0", "5.0", "10.0"]
    assert cells(lines[3])[:3] == ["1,000,000,000", "swing", "30"]
    assert len(lines) == 2 + 2 * len(spark_grouped.SIZES)


def test_what_was_measured_stands_in_a_row_for_each_cap():
    lines = spark_grouped.tables([record("ml-100k")])["grouped"].splitlines()
    assert cells(lines[3]) == [
        *("ml-100k", "swing", "30", "0.1500", "40", "3.0", "18.0", "10.0", "1.0", "1.0", "yes"),
    ]
    assert lines[-1] == "ml-100k: `local[2]`, a processor, commit abc, 2026-11-29."


def test_other_bits_are_not_hidden():
    assert spark_grouped.tables([record("ml-100k", equal=False)])["grouped"].count("NO") == 2


def test_without_records_nothing_is_claimed():
    assert set(spark_grouped.tables([]).values()) == {pages.NOT_MEASURED}
    assert spark_grouped.tables([record("ml-100k")])["grouped growth"] == pages.NOT_MEASURED
