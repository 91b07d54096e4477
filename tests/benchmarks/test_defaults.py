"""Defaults beside tuned settings: the share, and whether it is enough."""

from benchmarks.defaults import page


def test_page():
    record = {
        "dataset": "mine: random, seen items excluded",
        "ndcg": {"als": 0.091, "swing": 0.0899, "infonce": 0.2},
        "tuned": {"als": {"valid_ndcg": 0.1, "trials": 30}, "swing": {"valid_ndcg": 0.1, "trials": 5}},
    }
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page([record]).splitlines()]
    assert [row[1:] for row in cells if row[0].startswith("mine")] == [
        ["als", "0.0910", "0.1000", "91.0%", "yes", "30"],
        ["swing", "0.0899", "0.1000", "89.9%", "no", "5"],
    ]
