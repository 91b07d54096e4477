"""The verdict, rule by rule."""

import re

import pytest

from retrieval_leaderboard.evaluation.reports.pages.verdict import verdict
from tests.evaluation.reports.boards import failed, row, with_tests, without_tests

FAST, SLOW = {"fit_seconds": 1.0, "recommend_seconds": 1.0}, {"fit_seconds": 118.0, "recommend_seconds": 2.0}
BSL, ITEM_CF = row("bsl", 0.16, **SLOW), row("item_cf", 0.15, **FAST)


def test_a_significant_lead_with_its_interval_and_costs():
    assert verdict(with_tests(BSL, ITEM_CF)) == (
        "**bsl** leads with NDCG@20 0.1600 (95 % interval 0.1500 to 0.1700); fitting and ranking took 2 "
        "min. Its difference to ItemCF is +0.0100 (+6.7%; 95 % interval +0.0000 to +0.0200); ItemCF "
        "comes at 1/60 of the cost."
    )


def test_item_cf_within_noise_at_a_share_of_the_cost():
    text = verdict(with_tests(BSL, ITEM_CF, p={("bsl", "item_cf"): 0.3}))
    assert "ItemCF is within noise at 1/60 of the cost: the difference is +0.0100" in text
    assert "correction" not in verdict(
        with_tests(row("bsl", 0.155, **SLOW), ITEM_CF, p={("bsl", "item_cf"): 0.3})
    )


def test_an_interval_of_one_pair_that_the_test_of_all_pairs_overrules_is_explained():
    text = verdict(with_tests(row("bsl", 0.17, **SLOW), ITEM_CF, p={("bsl", "item_cf"): 0.3}))
    assert text.endswith(
        "the difference is +0.0200 (+13.3%), not significant once corrected for the number of pairs."
    )


def test_an_item_cf_that_finds_nothing_has_no_share():
    nothing = row("item_cf", 0.0, **FAST)
    assert "is +0.1600 (95 % interval +0.1500 to +0.1700); ItemCF" in verdict(with_tests(BSL, nothing))
    text = verdict(with_tests(BSL, nothing, p={("bsl", "item_cf"): 0.3}))
    assert text.endswith("the difference is +0.1600, not significant once corrected for the number of pairs.")


def test_the_other_rows_within_noise_are_named_with_their_costs():
    others = row("als", 0.155, **FAST), row("swing", 0.154, processor="elsewhere"), ITEM_CF
    text = verdict(with_tests(BSL, *others, p={("bsl", "als"): 0.05, ("bsl", "swing"): 0.9}))
    assert text.endswith("Within noise of the best: als (at 1/60 of the cost), swing.")
    assert "Within noise of the best" not in verdict(with_tests(BSL, *others, p={("bsl", "als"): 0.049}))


def test_few_queries_and_rows_that_find_nothing_are_said_first():
    for asked, words in ((1, "1 test query"), (29, "29 test queries")):
        report = with_tests(BSL, ITEM_CF, test_queries=asked)
        assert verdict(report).startswith(f"Only {words}: differences are chance. **bsl** leads")
    assert "test quer" not in verdict(with_tests(BSL, ITEM_CF, test_queries=30))
    text = verdict(with_tests(row("bsl", 0.0), row("item_cf", 0.0)))
    assert text == "Every official row has NDCG@20 0: none returned a relevant item."


def test_item_cf_leads():
    text = verdict(with_tests(row("bsl", 0.1), ITEM_CF))
    assert text.startswith("**item_cf** leads with NDCG@20 0.1500")
    assert text.endswith("The other rows are compared with this one.")


def test_no_item_cf():
    text = verdict(with_tests(BSL, row("als", 0.1)))
    assert text.endswith("No row of ItemCF is there to compare it with.")


def test_no_statistics():
    assert verdict(without_tests(BSL, ITEM_CF)) == (
        "**bsl** leads with NDCG@20 0.1600; fitting and ranking took 2 min. ItemCF has 0.1500 at 1/60 of "
        "the cost: the difference is +6.7% (not tested: metrics of each query are not stored)."
    )


def test_one_row():
    assert verdict(with_tests(BSL)).startswith("Only one official row has a result: **bsl**, NDCG@20 0.1600")


def test_rows_that_failed():
    assert verdict(with_tests(BSL, ITEM_CF, failed("als"))).endswith(" Failed: als.")
    assert verdict(without_tests(failed())) == "Every run failed: there is nothing to compare."


def test_synthetic_data_is_told_first():
    for rows in ((BSL, ITEM_CF), (failed(),), (BSL,)):
        assert verdict(without_tests(*rows, synthetic=True)).startswith("Synthetic data. ")


def test_a_better_row_that_was_explored_is_told_after_the_official_ones_where_its_model_has_one():
    tuned = row("bsl", 0.17, {"epochs": 9}, by="tuning", **SLOW)
    text = verdict(without_tests(BSL, ITEM_CF, tuned))
    assert text.startswith("**bsl** leads")
    assert " Explored further, **bsl (tuned)** has NDCG@20 0.1700" in text
    assert "Explored" not in verdict(with_tests(BSL, ITEM_CF, row("infonce", 0.155, by="tuning")))


def test_no_row_leads_where_a_better_one_was_explored_of_a_model_without_an_official_row():
    text = verdict(with_tests(BSL, ITEM_CF, row("infonce", 0.17, by="tuning", **SLOW)))
    assert "leads" not in text
    assert text.startswith(
        "Explored further, **infonce** comes first with NDCG@20 0.1700 (95 % interval 0.1600 to 0.1800); "
        "fitting and ranking took 2 min; its model has no official result. Its difference to ItemCF is "
        "+0.0200"
    )
    assert "Of the official rows, **bsl** comes first with NDCG@20 0.1600" in text
    assert "(+6.7%; 95 %" in text.partition("Of the official rows")[2] and text.endswith(
        "at 1/60 of the cost."
    )


def test_an_official_row_below_an_explored_item_cf_is_not_said_to_lead():
    hot = row("category_hot", 0.07), row("global_hot", 0.01)
    explored = row("infonce", 0.17, by="tuning", **SLOW), row("item_cf", 0.15, by="tuning", **FAST)
    text = verdict(without_tests(*hot, *explored))
    assert text.startswith("Explored further, **infonce** comes first") and "leads" not in text
    end = "**category_hot** comes first with NDCG@20 0.0700; fitting and ranking took 2.0 s."
    assert text.endswith(f"Of the official rows, {end}")
    one = verdict(without_tests(hot[0], *explored))
    assert one.endswith("The only official row, **category_hot**, has 0.0700.")


def test_an_explored_item_cf_that_an_official_row_is_compared_with_is_said_to_be_one():
    others = row("als", 0.155), row("item_cf", 0.15, by="tuning")
    for told in (with_tests(BSL, *others), without_tests(BSL, *others)):
        assert verdict(told).startswith("**bsl** leads") and "ItemCF, which was explored further," in verdict(
            told
        )


def test_an_override_is_told_apart_and_called_the_best_only_of_overrides():
    override, tuned = row("als", 0.19, by="command line"), row("infonce", 0.17, by="tuning")
    assert "Explored further, **infonce**" in verdict(with_tests(BSL, override, tuned))
    text = verdict(with_tests(BSL, override))
    assert "**bsl**" in text and text.endswith(" With settings from a command line, als has 0.1900.")
    assert "command line" not in verdict(with_tests(BSL, row("als", 0.15, by="command line")))
    assert "command line" not in verdict(with_tests(BSL, override, p={("bsl", "als"): 0.4}))
    assert "Explored further, **als**" in verdict(with_tests(override))


def test_no_official_row():
    text = verdict(with_tests(row("infonce", 0.17, by="tuning"), row("item_cf", 0.15, by="tuning")))
    assert text.startswith("No official row has a result. Explored further, **infonce** has NDCG@20 0.1700")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(120.0, "at about the same cost"), (60.0, "at 50% of the cost"), (2.0, "at 1/60 of the cost"),
     (0.017, "at 1/7,100 of the cost"), (1200.0, "at 10 times the cost"), (0.0, None)],
)  # fmt: skip
def test_costs_beside_the_best(seconds, told):
    other = row("item_cf", 0.15, fit_seconds=seconds, recommend_seconds=0.0)
    assert re.search(r"; ItemCF comes (at .*)\.$", verdict(with_tests(BSL, other))) if told else True
    assert (told or "cost") in verdict(with_tests(BSL, other)) or told is None


def test_costs_of_two_machines_are_not_compared():
    other = row("item_cf", 0.15, processor="elsewhere", **FAST)
    assert "cost" not in verdict(with_tests(BSL, other))
