"""The options for a file of one's own, as each command takes them."""

from __future__ import annotations

import argparse

import pytest

from retrieval_leaderboard.datasets.own import amounts, options
from retrieval_leaderboard.support.errors import InputError


def parse(*words: str) -> dict:
    parser = argparse.ArgumentParser(exit_on_error=False)
    options.add_arguments(parser)
    return options.given(parser.parse_args(words))


def test_what_is_given_is_what_load_takes():
    assert parse() == {}
    words = [
        "--columns",
        "item=sku,timestamp=",
        "--time-format",
        "%m%d",
        "--min-rating",
        "0",
        "--drop-incomplete",
    ]
    assert parse(*words) == {
        "columns": {"item": "sku", "timestamp": ""},
        "time_format": "%m%d",
        "min_rating": 0.0,
        "drop_incomplete": True,
    }


@pytest.mark.parametrize("number", ["nan", "inf", "much"])
def test_a_rating_is_a_number(number: str):
    with pytest.raises(InputError, match=f"--min-rating: '{number}' is no number"):
        parse("--min-rating", number)


def test_a_duration_that_was_read_reads_as_itself():
    for text in ("30m", "20000d", "0.00005s"):
        found = amounts.duration(text, "--dedup-window")
        assert amounts.duration(found, "--dedup-window") == found
    for wrong in ("-1s", "0", 0.0, -1.0, float("nan"), float("inf"), 1e300, "999999999w", True):
        with pytest.raises(InputError, match="is no duration"):
            amounts.duration(wrong, "--dedup-window")
