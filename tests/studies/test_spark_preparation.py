"""The tables of preparing a log are what its records say."""

from retrieval_leaderboard.studies import spark_preparation
from retrieval_leaderboard.studies.spark_preparation import Record, Step
from retrieval_leaderboard.support import pages


def record(rows, means, seconds, shuffled=0):
    steps = Step(seconds, 500.0, shuffled), 0.5, Step(1.0, 600.0, 0)
    return Record(rows, means, "local[2]", 12.5, *steps, "print", "a processor", "abc", "2026-11-29")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_step_by_each_means_and_shuffled_bytes_of_spark_alone():
    records = [record(10**6, "DuckDB", 2.0), record(10**6, "Spark", 20.0, 15 * 10**6)]
    lines = spark_preparation.tables(records)["preparation"].splitlines()
    assert cells(lines[2]) == ["1,000,000", "read, code, sort", "DuckDB", "2.0", "500", ""]
    assert cells(lines[3])[-1] == "15"
    assert cells(lines[4])[1:] == ["split by `time`, profile, fingerprint", "DuckDB", "1.0", "600", ""]
    assert lines[-1].startswith("Spark on `local[2]`; its session took another 12.5 CPU seconds before.")


def test_the_growth_is_by_the_line_through_two_sizes():
    records = [record(10**6, "Spark", 20.0, 15 * 10**6), record(3 * 10**6, "Spark", 56.0, 45 * 10**6)]
    lines = spark_preparation.tables(records)["preparation growth"].splitlines()
    assert cells(lines[2]) == ["1,000,000,000", "5.0", "0.0", "0.0", "15.0", "1"]
    assert spark_preparation.tables(records[:1])["preparation growth"] == pages.NOT_MEASURED


def test_without_records_nothing_is_claimed():
    assert set(spark_preparation.tables([]).values()) == {pages.NOT_MEASURED}
