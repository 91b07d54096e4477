"""The table of als on Spark is what its records say."""

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.studies import als_on_spark
from retrieval_leaderboard.studies.als_on_spark import Case, Fits, Record
from retrieval_leaderboard.support import pages

SETTINGS = {"factors": 64, "iterations": 5, "regularization": 0.00218, "alpha": 30.69}


def test_a_row_is_a_case_and_several_seeds_have_a_deviation():
    case = Case(SETTINGS, Fits((0.1, 0.2, 0.3), 1.75), Fits((0.25,), 1234.5))
    record = Record("gowalla", "local[2]", 810_128, (case,), "4.3.0", "a processor", "abc", "2026-11-29")
    lines = als_on_spark.tables([record])["als"].splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        *("gowalla", "64", "5", "0.00218", "30.69"),
        *("0.2000 ± 0.1000 (3 seeds)", "0.2500", "1.8", "1,234.5"),
    ]
    assert lines[-1] == "gowalla: `local[2]`, pyspark 4.3.0, a processor, commit abc, 2026-11-29."


def test_without_records_nothing_is_claimed():
    assert als_on_spark.tables([]) == {"als": pages.NOT_MEASURED}


@pytest.mark.slow
def test_a_record_has_both_solvers_by_the_same_settings(spark):
    settings = {"factors": 2, "iterations": 1, "regularization": 0.01, "alpha": 6.0}
    record = als_on_spark.measure(planted(), (settings,))
    assert record.master == "local[2]"
    (case,) = record.cases
    assert (len(case.here.ndcg), len(case.there.ndcg)) == (als_on_spark.SEEDS, 1)
    assert min(*case.here.ndcg, *case.there.ndcg) > 0
