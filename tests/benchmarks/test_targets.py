"""The tables of targets come from a saved run and stored records alone."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.benchmarks.targets import TARGETS, tables, validation_shares
from tests.evaluation.stored import keep, record

TESTS = {
    name for target in TARGETS for name in (target.test, target.over, target.plain, target.plain_over) if name
}


def saved(scaled=(), **medians):
    found = [
        {"name": name, "stats": {"median": medians.get(name, 1.0)}, "extra_info": {"peak_mib": 450.0}}
        for name in TESTS
    ]
    for each in found:
        if each["name"] in scaled:
            each["extra_info"] |= {"scale": 2500.0, "part": "8 of 20,000 steps"}
    return {
        "benchmarks": found,
        "datetime": "2026-11-22T07:00:00",
        "machine_info": {"cpu": {"brand_raw": "A processor", "count": 2}, "python_version": "3.11"},
        "commit_info": {"id": "0123456789abcdef"},
    }


def page(run, shares):
    return "\n".join(tables(run, shares).values())


def rows_of(text):
    """First cell → the other cells of each row."""
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) > 1}


def test_ratios_seconds_and_verdicts():
    medians = {"test_inner_product": 3.0, "test_bare_product": 2.0, "test_plain_inner_product": 9.0}
    text = page(saved(test_metrics=0.2, test_plain_metrics=0.5, test_list=0.3, **medians), {})
    rows = rows_of(text)
    assert rows["exact top-20 of gowalla, over the bare product"] == ["1.5 ×", "4.5 ×", "3 ×", "1.6 ×", "yes"]
    assert rows["all metrics of gowalla's lists"] == ["0.2 s", "0.5 s", "2.5 ×", "0.15 s", "no"]
    assert rows["run_all.py --list"] == ["0.3 s", "–", "–", "1.5 s", "yes"]
    assert "450 MiB" in text


def test_growth_is_a_ratio_of_its_own_for_the_plain_version():
    steps, plain = "test_steps_do_not_grow_with_the_tables", "test_plain_steps_grow_with_the_tables"
    medians = {f"{plain}[1000000]": 40.0, f"{plain}[100000]": 5.0, f"{steps}[1000000]": 1.1}
    row = rows_of(page(saved(**medians), {}))["a step with 1,000,000 rows, over 100,000"]
    assert row == ["1.1 ×", "8 ×", "36.4 ×", "1.3 ×", "yes"]


def test_work_timed_in_part_is_multiplied_and_named():
    name = "test_plain_epoch[simplex_ccl]"
    found = tables(saved([name], **{name: 2.0}), {})
    row = rows_of(found["targets"])["SimpleX, 1,000 negatives, an epoch of gowalla"]
    assert row[1:3] == ["5,000 s", "5,000 ×"]
    assert found["parts"].splitlines() == [
        "- SimpleX, 1,000 negatives, an epoch of gowalla: 8 of 20,000 steps, × 2,500"
    ]


def test_a_run_that_lacks_a_test_is_an_error():
    run = saved()
    run["benchmarks"] = run["benchmarks"][1:]
    with pytest.raises(KeyError):
        page(run, {})


def epochs(*valid_seconds):
    """Epochs of 2 seconds; None for one without an evaluation."""
    return tuple(
        {"seconds": 2.0} | ({} if each is None else {"valid_seconds": each}) for each in valid_seconds
    )


def test_share_of_validation_is_that_of_each_models_newest_run(tmp_path):
    stored = [
        replace(record("infonce", choosing=epochs(None, 0.5, None, 0.7)), date="2026-11-24 09:00 UTC"),
        replace(record("infonce", choosing=epochs(9.0)), date="2026-11-23 09:00 UTC"),
        record("simplex_ccl", choosing=epochs(None, None)),
        record("dssm_bce", choosing=epochs(0.4)),
        record("als", choosing=()),
        record("swing"),
    ]
    for number, said in enumerate(stored):
        keep(tmp_path / "runs" / str(number), said)
    shares = validation_shares(tmp_path)
    assert shares == pytest.approx({"dssm_bce": 0.2, "infonce": 0.15})
    rows = rows_of(page(saved(), shares | {"infonce": 0.125}))
    assert rows["validation while training dssm_bce, share of training time"] == [
        "0.2",
        "–",
        "–",
        "0.15",
        "no",
    ]
    assert rows["validation while training infonce, share of training time"][0::4] == ["0.125", "yes"]
