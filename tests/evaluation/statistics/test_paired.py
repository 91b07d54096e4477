"""Paired tests against SciPy's, Holm's correction by hand, and the ranks that tests leave open."""

import numpy as np
import pytest
from scipy import stats

from retrieval_leaderboard.evaluation.statistics import bootstrap, paired


def p_of(columns, seeds):
    means = bootstrap.means(columns)
    return paired.p_values(means, paired.covariance(columns, means), len(columns[0]), seeds)


def test_without_seeds_it_is_the_paired_t_test():
    rng = np.random.default_rng(1)
    first = rng.random(40_000)
    columns = [first, first + rng.normal(0.002, 0.2, 40_000), rng.random(40_000)]
    found = p_of(columns, [(0.0, 1)] * 3)
    for i in range(3):
        for j in range(i):
            assert found[i, j] == found[j, i] == pytest.approx(stats.ttest_rel(columns[i], columns[j]).pvalue)


def test_with_seeds_alone_it_is_welchs_test_of_the_runs():
    first, second = [0.10, 0.11, 0.13, 0.12, 0.10], [0.11, 0.14, 0.15]
    columns = [np.full(50, np.mean(values)) for values in (first, second)]
    seeds = [(float(np.std(values, ddof=1)), len(values)) for values in (first, second)]
    welch = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert p_of(columns, seeds)[0, 1] == pytest.approx(welch)


def test_it_agrees_with_a_randomization_test():
    rng = np.random.default_rng(2)
    first = rng.random(500) * (rng.random(500) < 0.5)
    second = first + rng.normal(0.012, 0.15, 500)
    difference = second - first
    signs = rng.choice([-1, 1], (20_000, 500))
    by_swaps = np.mean(np.abs(signs @ difference) >= abs(difference.sum()) * (1 - 1e-12))
    assert p_of([first, second], [(0.0, 1)] * 2)[0, 1] == pytest.approx(by_swaps, abs=0.01)


@pytest.mark.parametrize("seed_spread", [0.0, 0.01, 0.05])
def test_equal_models_differ_in_one_test_of_twenty(seed_spread):
    """Two models of the same expectation, five seeds each, over the same skewed queries."""
    rng = np.random.default_rng(4)
    boards, queries, runs, rejected = 1000, 200, 5, 0
    for _ in range(boards):
        of_query = rng.beta(0.5, 3, queries)
        own = rng.normal(0, 0.1, (2, queries)) + of_query
        of_run = rng.normal(0, seed_spread, (2, runs))
        columns = list(own + of_run.mean(axis=1, keepdims=True))
        seeds = [(float(each.std(ddof=1)), runs) for each in of_run]
        rejected += p_of(columns, seeds)[0, 1] < 0.05
    assert 0.03 <= rejected / boards <= 0.07, rejected / boards


def test_rows_that_return_the_same_are_equal():
    column = np.linspace(0, 1, 10)
    found = p_of([column, column, column / 2], [(0.0, 1)] * 3)
    assert found[0, 1] == 1.0 and found[0, 2] < 0.05


def test_holm_by_hand():
    given = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    # In order: .005·4 = .02, .01·3 = .03, .03·2 = .06, and .04·1 = .04 rises to .06.
    assert paired.holm(given) == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.02], nan_ok=True)
    assert paired.holm(np.array([0.6, 0.7])) == pytest.approx([1.0, 1.0])


def symmetric(rows, p, otherwise=0.001):
    found = np.full((rows, rows), otherwise)
    np.fill_diagonal(found, 1.0)
    for (i, j), value in p.items():
        found[i, j] = found[j, i] = value
    return found


def test_pairs_of_the_family_are_corrected_as_if_there_were_no_others():
    p = symmetric(3, {(0, 1): 0.03, (0, 2): 0.02, (1, 2): 0.04})
    found = paired.holm_pairs(p, np.array([True, True, False]))
    assert found[0, 1] == found[1, 0] == pytest.approx(0.03)
    assert found[0, 2] == found[1, 2] == pytest.approx(0.04)


def test_ranks_are_one_more_than_what_is_surely_better_to_what_is_not_surely_worse():
    means = np.array([0.1, 0.5, 0.4, 0.3])
    assert paired.ranks(means, symmetric(4, {})) == ["4", "1", "2", "3"]
    assert paired.ranks(means, symmetric(4, {(1, 2): 0.3})) == ["4", "1–2", "1–2", "3"]
    # The middle one is tied with both ends, which are not tied with each other.
    chain = symmetric(4, {(1, 2): 0.3, (2, 3): 0.3})
    assert paired.ranks(means, chain) == ["4", "1–2", "1–3", "2–3"]


def test_ranges_of_ranks_do_not_cross():
    # The last row is so noisy that nothing is surely better; those above it are surely worse than the first.
    means = np.array([0.4, 0.3, 0.2])
    assert paired.ranks(means, symmetric(3, {(0, 2): 0.5, (1, 2): 0.5})) == ["1–2", "1–3", "1–3"]
    rng = np.random.default_rng(3)
    for _ in range(200):
        means, p = rng.random(6), rng.random((6, 6)) ** 3
        found = paired.ranks(means, np.minimum(p, p.T))
        ends = [[int(end) for end in found[row].split("–")] for row in np.argsort(-means)]
        assert [pair[0] for pair in ends] == sorted(pair[0] for pair in ends)
        assert [pair[-1] for pair in ends] == sorted(pair[-1] for pair in ends)
        assert all(pair[0] <= place <= pair[-1] for place, pair in enumerate(ends, start=1))
