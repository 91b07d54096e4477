import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural.towers.history import QueryBatch, ranges, weights
from retrieval_leaderboard.neural.towers.sums import weighted_sums

ITEMS = torch.tensor([3, 1, 4, 1, 5, 2, 0])
START, STOP = torch.tensor([2, 0, 7, 1, 4]), torch.tensor([6, 3, 7, 2, 7])


def queries() -> QueryBatch:
    return QueryBatch.of(torch.arange(5), ITEMS, START, STOP)


def test_ranges_lists_every_stretch() -> None:
    at, row = ranges(START, STOP)
    assert at.tolist() == [2, 3, 4, 5, 0, 1, 2, 1, 4, 5, 6]
    assert row.tolist() == [0, 0, 0, 0, 1, 1, 1, 3, 4, 4, 4]
    for found, counted in zip(ranges(START, STOP, total=11), (at, row), strict=True):
        assert torch.equal(found, counted)


def test_weighted_mean_equals_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors, item_weight = torch.randn(6, 3, generator=generator), torch.rand(6, generator=generator)
    weight = weights(queries(), item_weight, 0.7)
    found = weighted_sums(vectors, queries().history, weight, queries().offsets)
    for row, (start, stop) in enumerate(zip(START.tolist(), STOP.tolist(), strict=True)):
        total, shares = torch.zeros(3), 0.0
        for at in range(start, stop):
            share = item_weight[ITEMS[at]] * (stop - at) ** -0.7
            total, shares = total + share * vectors[ITEMS[at]], shares + share
        assert_close(found[row], total / shares if stop > start else total)


def test_newest_is_the_last_item() -> None:
    assert queries().newest().tolist() == [2, 4, 0, 1, 0]
    assert queries().has_history.tolist() == [True, True, False, True, True]


def test_no_history_at_all() -> None:
    empty = QueryBatch.of(torch.arange(2), ITEMS, torch.zeros(2).long(), torch.zeros(2).long())
    weight = weights(empty, torch.ones(6), 1.0)
    found = weighted_sums(torch.ones(6, 3), empty.history, weight, empty.offsets)
    assert_close(found, torch.zeros(2, 3))
    assert empty.newest().tolist() == [0, 0]
