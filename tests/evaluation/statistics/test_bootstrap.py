"""The bootstrap: against a slow one that resamples query by query, and its coverage in a simulation."""

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.statistics import bootstrap


def resampled_by_hand(column, draws, rng):
    """The classical bootstrap: draw q queries with replacement, again and again."""
    return [column[rng.integers(0, len(column), len(column))].mean() - column.mean() for _ in range(draws)]


def test_quantiles_are_those_of_drawing_queries_with_replacement():
    rng = np.random.default_rng(1)
    column = rng.random(3000) * (rng.random(3000) < 0.4)
    fast = bootstrap.query_part([column], draws=4000)[:, 0]
    slow = resampled_by_hand(column, 4000, rng)
    error = column.std() / np.sqrt(3000)
    levels = [0.025, 0.16, 0.5, 0.84, 0.975]
    assert np.quantile(fast, levels) == pytest.approx(np.quantile(slow, levels), abs=0.12 * error)
    assert fast.std() == pytest.approx(error, rel=0.05)


def test_look_ups_draw_poisson_counts():
    table = bootstrap._poisson_table().astype(np.float64)
    assert table.mean() == pytest.approx(1, abs=1e-4)
    assert table.var() == pytest.approx(1, abs=1e-3)


def test_columns_share_their_samples_and_do_not_depend_on_each_other():
    rng = np.random.default_rng(2)
    first = rng.random(5000).astype(np.float16)
    second = first + np.float16(0.25)
    together = bootstrap.query_part([first, second], draws=50)
    assert together[:, 0] == pytest.approx(together[:, 1], abs=2e-5), "a constant lead has no spread"
    assert bootstrap.query_part([second], draws=50)[:, 0] == pytest.approx(together[:, 1], abs=1e-7)


def test_a_change_of_the_values_is_not_answered_from_before():
    column = np.linspace(0, 1, 100)
    before = bootstrap.query_part([column], draws=20)
    column[:50] = 0
    assert not np.allclose(before, bootstrap.query_part([column], draws=20))


def test_one_run_has_no_spread_of_seeds_and_several_have_that_of_t():
    assert not bootstrap.seed_part([0.5], "a").any()
    values = [0.10, 0.11, 0.12, 0.13, 0.14]
    drawn = bootstrap.seed_part(values, "a", draws=200_000)
    half = 2.776 * np.std(values, ddof=1) / np.sqrt(5)  # t with 4 degrees of freedom, from a table
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([-half, half], rel=0.03)
    assert not np.allclose(drawn[:9], bootstrap.seed_part(values, "b")[:9])


def test_five_runs_are_too_few_to_resample():
    """What docs/metrics.md says of the bootstrap over seeds alone, and that ours is not like it."""
    rng = np.random.default_rng(5)
    runs = rng.normal(size=(4000, 5))
    resampled = np.stack([row[rng.integers(0, 5, (500, 5))].mean(axis=1) for row in runs])
    low, high = np.quantile(resampled, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.84, abs=0.015)
    ours = [
        bootstrap.interval(row.mean(), bootstrap.seed_part(list(row), "a", 500, i))
        for i, row in enumerate(runs)
    ]
    assert np.mean([each.low <= 0 <= each.high for each in ours]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("seed_spread", "interaction"), [(0.0, 0.0), (0.01, 0.05), (0.03, 0.0)])
def test_intervals_cover_the_true_mean_as_often_as_they_say(seed_spread, interaction):
    rng = np.random.default_rng(3)
    queries, runs, boards, covered = 400, 5, 400, 0
    for board in range(boards):
        of_query = rng.beta(0.5, 3, queries)[:, None]
        of_seed = rng.normal(0, seed_spread, runs)
        values = of_query + of_seed + rng.normal(0, interaction, (queries, runs))
        mean, over_seeds = values.mean(), values.mean(axis=1)
        spread = bootstrap.query_part([over_seeds], draws=400, seed=board)[:, 0]
        spread = spread + bootstrap.seed_part(list(values.mean(axis=0)), "row", draws=400, seed=board)
        found = bootstrap.interval(mean, spread)
        covered += found.low <= 0.5 / 3.5 <= found.high
    assert 0.925 <= covered / boards <= 0.98, covered / boards
