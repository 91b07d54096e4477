import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural.batches.negatives import PopularityNegatives, log_inclusion

NOBODY = torch.empty(0, dtype=torch.int64)
COUNTS = torch.tensor([0, 1, 4, 16, 0, 64])


def frequencies(exponent: float) -> torch.Tensor:
    sampler = PopularityNegatives(COUNTS, 200_000, exponent)
    drawn = sampler.draw(NOBODY, NOBODY, torch.Generator().manual_seed(0))
    return torch.bincount(drawn, minlength=len(COUNTS)) / len(drawn)


def test_draws_follow_popularity_to_the_exponent() -> None:
    expected = torch.tensor([0, 1, 2, 4, 0, 8]) / 15
    assert_close(frequencies(0.5), expected, atol=0.004, rtol=0)


def test_exponent_0_is_uniform_over_items_with_interactions() -> None:
    expected = torch.tensor([0, 1, 1, 1, 0, 1]) / 4
    assert_close(frequencies(0.0), expected, atol=0.004, rtol=0)


def test_cold_items_are_drawn_where_wanted_as_if_taken_once() -> None:
    sampler = PopularityNegatives(COUNTS, 200_000, 0.5, cold=True)
    drawn = (
        torch.bincount(sampler.draw(NOBODY, NOBODY, torch.Generator().manual_seed(0)), minlength=len(COUNTS))
        / 200_000
    )
    assert_close(drawn, torch.tensor([1, 1, 2, 4, 1, 8]) / 17, atol=0.004, rtol=0)
    assert_close(sampler.chance.float(), torch.tensor([1, 1, 2, 4, 1, 8]) / 17)
    uniform = PopularityNegatives(COUNTS, 200_000, 0.0, cold=True).draw(
        NOBODY, NOBODY, torch.Generator().manual_seed(0)
    )
    share = torch.bincount(uniform, minlength=len(COUNTS)) / 200_000
    assert_close(share, torch.full((6,), 1 / 6), atol=0.004, rtol=0)


def test_log_inclusion_is_the_share_of_samples_that_hold_the_item() -> None:
    popular = PopularityNegatives(COUNTS, 3, 1.0)
    uniform = PopularityNegatives(COUNTS, 2, 0.0)
    items = torch.tensor([1, 2, 3, 5])
    generator = torch.Generator().manual_seed(0)
    repeats = 20_000
    held = torch.zeros(len(items))
    for _ in range(repeats):
        sample = torch.cat([popular.draw(NOBODY, NOBODY, generator), uniform.draw(NOBODY, NOBODY, generator)])
        held += torch.isin(items, sample)
    expected = log_inclusion([each.log_missed(items, NOBODY) for each in (popular, uniform)]).exp()
    assert_close(held / repeats, expected, atol=0.012, rtol=0)


def test_chances_do_not_depend_on_the_number_of_threads() -> None:
    counts = torch.randint(1, 1000, (200_000,), generator=torch.Generator().manual_seed(0))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(PopularityNegatives(counts, 1, 0.5))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0].chance, found[1].chance)
    assert torch.equal(found[0].cumulative, found[1].cumulative)
