"""The page of targets comes from a saved run alone."""

import pytest

from benchmarks.targets import TARGETS, page


def saved(**medians):
    names = {target.test for target in TARGETS} | {target.over for target in TARGETS if target.over}
    found = [
        {"name": name, "stats": {"median": medians.get(name, 1.0)}, "extra_info": {"peak_mib": 450.0}}
        for name in names
    ]
    return {
        "benchmarks": found,
        "datetime": "2026-11-22T07:00:00",
        "machine_info": {"cpu": {"brand_raw": "A processor", "count": 2}, "python_version": "3.11"},
        "commit_info": {"id": "0123456789abcdef"},
    }


def test_ratios_seconds_and_verdicts():
    text = page(saved(test_inner_product=3.0, test_bare_product=2.0, test_metrics=0.2))
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert "| 1.5 ×" in rows["exact top-20 of gowalla, over the bare product"]
    assert rows["exact top-20 of gowalla, over the bare product"].rstrip(" |").endswith("yes")
    assert "| 0.2 s" in rows["all metrics of gowalla's lists"]
    assert rows["all metrics of gowalla's lists"].rstrip(" |").endswith("no")
    assert "450 MiB" in text


def test_a_run_that_lacks_a_test_is_an_error():
    run = saved()
    run["benchmarks"] = run["benchmarks"][1:]
    with pytest.raises(KeyError):
        page(run)
