"""How long a search may take, and how much of it a trial takes."""

import pytest

from retrieval_leaderboard.evaluation.tuning.budget import Budget, minutes
from retrieval_leaderboard.support.errors import InputError


@pytest.mark.parametrize(
    ("text", "found"), [("45m", 45), ("2h", 120), ("1h30m", 90), ("90s", 1.5), ("0.5h", 30)]
)
def test_durations(text, found):
    assert minutes(text) == pytest.approx(found)


@pytest.mark.parametrize("text", ["", "45", "m", "45 m", "-5m", "0m", "1d", "5m!", "nanm", "1h-3m"])
def test_what_is_no_duration(text):
    with pytest.raises(InputError, match=f"'{text}' is no duration: give it as 45m"):
        minutes(text)


def test_what_a_trial_takes_of_time_and_of_fits():
    assert Budget(minutes=2).share(seconds=30, fits=9) == 0.25
    assert Budget(fits=30).share(seconds=1e9, fits=3) == 0.1
    assert Budget(minutes=0).share(seconds=1, fits=1) == float("inf")
