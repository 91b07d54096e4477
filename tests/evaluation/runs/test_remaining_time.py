"""What is said of the time left for all models, and when nothing is."""

from retrieval_leaderboard.evaluation.runs.remaining_time import RemainingTime
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from tests.evaluation import stored


def job(model, seed=0):
    return Job(ModelSource(model), {}, seed, 20, "cpu", "fp32")


def record(model, seconds, **more):
    return stored.record(model, fit_seconds=seconds, recommend_seconds=0.0, **more)


def test_nothing_is_said_while_nothing_is_known():
    ahead = RemainingTime()
    assert ahead.left([job("infonce")]) == ""
    ahead.add(job("item_cf"), record("item_cf", 0.1), 3.0)
    assert ahead.left([job("infonce")]) == "", "a classical model tells nothing of a tower"
    ahead.add(job("infonce"), record("infonce", 60, reason="none"), 2.0)
    assert ahead.left([job("infonce", seed=1)]) == "", "nor does a run that failed"


def test_towers_by_towers_and_seeds_by_seeds():
    ahead = RemainingTime()
    ahead.add(job("infonce"), record("infonce", 97.0), 100.0)
    assert ahead.left([job("bsl"), job("bsl", seed=1)]) == "about 3 min left in all"
    ahead.add(job("bsl"), record("bsl", 300.0), 300.0)
    assert ahead.left([job("bsl", seed=1)]) == "about 5 min left in all"
    assert ahead.left([job("infonce", seed=1), job("bsl", seed=1)]) == "about 7 min left in all"


def test_stored_runs_by_the_speed_of_this_machine():
    ahead = RemainingTime([record("swing", 10.0), record("bsl", 100.0), record("als", 9.0, reason="none")])
    assert ahead.left([job("bsl")]) == "", "nothing was run here"
    ahead.add(job("swing"), record("swing", 20.0), 25.0)
    assert ahead.left([job("bsl")]) == "about 3 min left in all"  # 2 x 100 s, and 5 s to start.
    assert ahead.left([job("bsl"), job("infonce")]) == "", "of infonce nothing is known"


def test_times_too_short_to_tell_a_machines_speed():
    ahead = RemainingTime([record("global_hot", 0.01), record("bsl", 100.0)])
    ahead.add(job("global_hot"), record("global_hot", 0.1), 3.0)
    assert ahead.left([job("bsl")]) == ""
