"""Limits: bytes by the line through two sizes, and the phases as they are measured."""

import numpy as np
import pytest

from retrieval_leaderboard.studies import limits, phases
from retrieval_leaderboard.studies.limits import Record, slope
from retrieval_leaderboard.studies.phases import Measured, made_up


def record(rows, held, peak):
    return Record("split", rows, Measured(rows, held, peak, 1.0), "one", "", "")


def test_slope_leaves_out_what_does_not_grow():
    mib = 10**6 * 8 / 2**20  # 8 bytes for each of a million
    records = [record(100, 0, 9**9), record(10**6, 50 + 2 * mib, 60 + 5 * mib)]
    records.append(record(2 * 10**6, 50 + 4 * mib, 60 + 10 * mib))
    assert slope(records) == pytest.approx(24)


def test_limit_of_a_machine():
    records = [record(2**20, 0, 0), record(2**21, 0, 2**10)]  # 1 KiB each
    assert limits._cells("interaction", None, records) == ["interaction", "", "1,024", "", "25 million"]


def test_made_up_log():
    log = made_up(10_000)
    assert len(log.user_ids) == 500
    assert len(log.item_ids) == 200
    assert np.unique(log.item).size > 150


@pytest.mark.parametrize("phase", ["split", "ranking", "metrics and slices", "als"])
def test_phases_are_measured(phase):
    found = phases.PHASES[phase].measure(4000)
    assert found.peak_mib >= found.held_mib > 0
    assert found.units > 0


def test_a_scale_that_is_no_number_is_told(capsys):
    assert limits.main(["--forecasts", "aliec-sim:x"]) == 2
    assert "'x' is not a scale: give NAME or NAME:SCALE" in capsys.readouterr().err
