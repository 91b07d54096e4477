"""The table of forecasts is what its records say."""

from retrieval_leaderboard.datasets import Interactions
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity
from retrieval_leaderboard.studies import forecasts
from retrieval_leaderboard.studies.forecasts import Record, Told
from retrieval_leaderboard.support import pages


def record(mib):
    told, took = Told(3e6, 1.0, 30.0), Told(2e6, 4.0, mib)
    return Record("gowalla", "swing", 810_128, told, 0.5, took, "a processor", "abc", "2026-11-29")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_is_a_fit():
    lines = forecasts.tables([record(20.0)])["forecasts"].splitlines()
    assert cells(lines[2]) == ["gowalla", "swing", "2", "1.50", "1.00", "0.25", "0.50", "30.0", "1.50"]
    assert lines[-1] == "a processor, commit abc, 2026-11-29."


def test_too_little_memory_tells_nothing():
    lines = forecasts.tables([record(2.0)])["forecasts"].splitlines()
    assert cells(lines[2])[-1] == "–"


def test_without_records_nothing_is_claimed():
    assert forecasts.tables([]) == {"forecasts": pages.NOT_MEASURED}


def test_pairs_are_the_steps_of_the_loop():
    train: Interactions = planted().train_valid
    items_of = {user: (train.user == user).sum() for user in range(train.n_users)}
    steps = [sum(items_of[user] for user in train.user[train.item == item]) for item in range(train.n_items)]
    users = [(train.item == item).sum() for item in range(train.n_items)]
    assert forecasts._pairs("item_cf", train, activity(train)) == sum(steps)
    assert forecasts._pairs("swing", train, activity(train)) == sum(
        one * other for one, other in zip(steps, users, strict=True)
    )
