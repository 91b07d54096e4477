from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.batches import examples
from retrieval_leaderboard.neural.batches.batcher import Batch, Batcher
from retrieval_leaderboard.neural.batches.examples import (
    Examples,
    InteractionTensors,
    examples_per_interaction,
    examples_per_sequence,
    examples_per_user,
)
from retrieval_leaderboard.neural.batches.negatives import (
    InBatchNegatives,
    PopularityNegatives,
    log_inclusion,
    log_missed,
)

N_USERS, N_ITEMS = 40, 60


@pytest.fixture
def train() -> Interactions:
    """Users with 0 to 12 items, user 7 with one."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(N_ITEMS)[: rng.integers(13)] for _ in range(N_USERS)]
    rows[7] = rows[7][:1] if len(rows[7]) else np.array([5])
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), [len(row) for row in rows])
    return Interactions(user, np.concatenate(rows).astype(np.int32), None, N_USERS, N_ITEMS)


def batcher(train: Interactions, in_batch: bool, mask_history: bool, seed: int = 0) -> Batcher:
    counts = torch.as_tensor(train.item_counts)
    return Batcher(
        batch_size=16,
        samplers=[PopularityNegatives(counts, 30, 0.0), *([InBatchNegatives(counts)] if in_batch else [])],
        mask_history=mask_history,
        user_weight=torch.rand(N_USERS, generator=torch.Generator().manual_seed(0)),
        n_items=N_ITEMS,
        generator=torch.Generator().manual_seed(seed),
    )


def resident(train: Interactions) -> InteractionTensors:
    return InteractionTensors.of(train, "cpu")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def histories(batch: Batch) -> list[list[int]]:
    bounds = zip(batch.queries.offsets[:-1], batch.queries.offsets[1:], strict=True)
    return [batch.queries.history[start:stop].tolist() for start, stop in bounds]


def targets(batch: Batch) -> list[list[int]]:
    items = batch.items[batch.target]
    return [items[batch.row == row].tolist() for row in range(len(batch.queries.user))]


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_a_users_items_are_divided_between_history_and_targets(
    train: Interactions, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "INPUT_SHARE", share)
    rows = examples_per_user(resident(train), generator())
    seen = []
    for batch in batcher(train, True, True).epoch(rows):
        for user, history, target in zip(
            batch.queries.user.tolist(), histories(batch), targets(batch), strict=True
        ):
            assert sorted(history + target) == sorted(train.by_user[user].tolist())
            most = len(history) + len(target) - 1
            assert len(history) == min(max(int(share * (most + 1)), 1), most)
            seen.append(user)
    assert sorted(seen) == np.flatnonzero(train.user_counts).tolist()


def test_every_visit_divides_anew(train: Interactions) -> None:
    source = generator()
    first, second = (examples_per_user(resident(train), source) for _ in range(2))
    assert not torch.equal(first.items, second.items)
    assert torch.equal(examples_per_user(resident(train), generator()).items, first.items)


def test_a_single_item_is_a_target_without_history(train: Interactions) -> None:
    rows = examples_per_user(resident(train), generator())
    at = rows.user.tolist().index(7)
    assert rows.start[at] == rows.split[at] == rows.stop[at] - 1
    kept = rows.with_history()
    assert 7 in rows.user and 7 not in kept.user
    assert len(kept) == (rows.split > rows.start).sum()


def test_a_position_has_the_newest_items_before_it(train: Interactions) -> None:
    rows = examples_per_interaction(resident(train), 4)
    batch = batcher(train, True, False).assemble(rows, torch.arange(len(train)))
    at = 0
    for user in range(N_USERS):
        items = train.by_user[user].tolist()
        for place, item in enumerate(items):
            assert histories(batch)[at] == items[max(0, place - 4) : place]
            assert batch.items[batch.target[at]] == item
            assert item not in histories(batch)[at]
            at += 1


@pytest.mark.parametrize("longest", [1, 4, 50])
def test_of_sequences_every_item_but_the_first_is_a_target_once(train: Interactions, longest: int) -> None:
    made = batcher(train, True, False)
    found: dict[int, list[int]] = {}
    for batch in made.epoch(examples_per_sequence(resident(train), longest)):
        queries = batch.queries
        assert queries.everywhere and torch.equal(batch.row, torch.arange(len(queries.history)))
        assert torch.equal(batch.weight, made.user_weight[queries.user])
        told = queries.user, queries.history, batch.items[batch.target], queries.row
        at = 0
        for user, newest, target, row in zip(*(each.tolist() for each in told), strict=True):
            items = train.by_user[user].tolist()
            place = items.index(target)
            assert newest == items[place - 1]
            found.setdefault(user, []).append(place)
            history = queries.history[queries.offsets[row] : at + 1].tolist()
            # The newest stretch is full, and the others too but for the oldest.
            assert history == items[place - len(history) : place] and len(history) <= longest
            assert queries.offsets[row + 1] - queries.offsets[row] == longest or items[0] in history
            at += 1
    expected = {user: [*range(1, n)] for user, n in enumerate(train.user_counts) if n > 1}
    assert {user: sorted(places) for user, places in found.items()} == expected


def test_a_target_of_a_sequence_is_no_negative_of_its_own_row(train: Interactions) -> None:
    for batch in batcher(train, True, False).epoch(examples_per_sequence(resident(train), 4)):
        negatives, target = batch.negative, batch.items[batch.target]
        hits = torch.nonzero(negatives[None] == target[:, None])
        assert torch.equal(torch.stack([batch.hit_row, batch.hit_negative], 1), hits)


@pytest.mark.parametrize("batch_size", [1, 16, 1000])
def test_the_epoch_knows_the_sizes_of_its_batches(train: Interactions, batch_size: int) -> None:
    rows = examples_per_user(resident(train), generator())
    order = torch.randperm(len(rows), generator=generator())
    made = replace(batcher(train, True, True), batch_size=batch_size)
    counted = replace(batcher(train, True, True), generator=generator())
    torch.randperm(len(rows), generator=counted.generator)
    batches = list(made.epoch(rows))
    assert len(batches) == len(order.split(batch_size))
    for batch, chosen in zip(batches, order.split(batch_size), strict=True):
        expected = counted.assemble(rows, chosen)
        for name in ("items", "row", "target", "negative", "hit_row", "hit_negative"):
            assert torch.equal(getattr(batch, name), getattr(expected, name))
        assert torch.equal(batch.queries.history, expected.queries.history)


@pytest.mark.parametrize("in_batch", [False, True])
@pytest.mark.parametrize("mask_history", [False, True])
def test_hits_are_exactly_the_negatives_that_the_row_took(
    train: Interactions, in_batch: bool, mask_history: bool
) -> None:
    rows = examples_per_user(resident(train), generator())
    for batch in batcher(train, in_batch, mask_history).epoch(rows):
        negatives = batch.negative.tolist()
        assert len(set(negatives)) == len(negatives)
        taken = [h + t if mask_history else t for h, t in zip(histories(batch), targets(batch), strict=True)]
        expected = {
            (row, place) for row, own in enumerate(taken) for place, n in enumerate(negatives) if n in own
        }
        assert set(zip(batch.hit_row.tolist(), batch.hit_negative.tolist(), strict=True)) == expected


def test_in_batch_negatives_hold_every_target_and_know_their_probability(train: Interactions) -> None:
    made = batcher(train, True, True)
    rows = examples_per_user(resident(train), generator())
    batch = made.assemble(rows, torch.arange(10))
    negatives = batch.negative
    assert torch.isin(batch.items, negatives).all()
    uniform, in_batch = made.samplers
    missed = (
        log_missed(uniform.chance[negatives], 30),
        log_missed(in_batch.popularity[negatives], len(batch.row)),
    )
    assert torch.equal(batch.log_q, log_inclusion(missed))


def test_pairs_weigh_what_their_user_weighs(train: Interactions) -> None:
    made = batcher(train, False, True)
    batch = made.assemble(examples_per_user(resident(train), generator()), torch.arange(5))
    assert torch.equal(batch.weight, made.user_weight[batch.queries.user][batch.row])


def test_the_same_seed_gives_the_same_batches(train: Interactions) -> None:
    def items(seed: int) -> list[list[int]]:
        rows: Examples = examples_per_user(resident(train), generator(seed))
        return [batch.items.tolist() for batch in batcher(train, True, True, seed).epoch(rows)]

    assert items(1) == items(1) != items(2)


@pytest.mark.parametrize("kind", ["user", "interaction", "sequence"])
def test_a_pair_weighs_what_its_interaction_and_its_user_do(train, kind):
    weights = np.random.default_rng(1).random(len(train), dtype=np.float32) + 0.5
    known = dict(zip(zip(train.user.tolist(), train.item.tolist(), strict=True), weights, strict=True))
    tensors = resident(replace(train, weight=weights))
    kinds = {
        "user": lambda: examples_per_user(tensors, generator()),
        "interaction": lambda: examples_per_interaction(tensors, max_history=3),
        "sequence": lambda: examples_per_sequence(tensors, max_history=3),
    }
    made = kinds[kind]()
    each = batcher(train, in_batch=True, mask_history=kind == "user")
    for batch in each.epoch(made.with_history()):
        user = batch.queries.user[batch.row]
        target = batch.items[batch.target]
        expected = [known[pair] for pair in zip(user.tolist(), target.tolist(), strict=True)]
        np.testing.assert_allclose(batch.weight, each.user_weight[user] * torch.tensor(expected))
