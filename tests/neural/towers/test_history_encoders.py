from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.towers.history import QueryBatch, weights
from retrieval_leaderboard.neural.towers.history_encoders import (
    Mean,
    PositionWeighted,
    SelfAttention,
    UserAttention,
)

ROWS = [[3, 1, 4], [], [5], [2, 0, 1, 3, 4]]
VECTORS = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
USER = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))


def queries() -> QueryBatch:
    values = torch.tensor([item for row in ROWS for item in row])
    offsets = torch.tensor(np.cumsum([0, *map(len, ROWS)]))
    return QueryBatch.of(torch.arange(4), values, offsets[:-1], offsets[1:])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def encoded(encoder, now: QueryBatch, vectors: torch.Tensor = VECTORS, item_weight=None) -> torch.Tensor:
    item_weight = torch.ones(6) if item_weight is None else item_weight
    with torch.no_grad():
        return encoder(vectors, now.history, weights(now, item_weight, 0.5), now, USER)


def settings(longest: int = 4, checkpointing: bool = False) -> InfoNCE:
    return InfoNCE(
        embedding_dim=8, attention_heads=2, max_history=longest, gradient_checkpointing=checkpointing
    )


def self_attention(longest: int = 4, checkpointing: bool = False) -> SelfAttention:
    encoder = SelfAttention(settings(longest, checkpointing), generator())
    with torch.no_grad():  # It starts as the identity: make it do something.
        for layer in (encoder.leave, encoder.narrow):
            layer.weight.normal_(generator=generator())
        encoder.position.normal_(generator=generator())
    return encoder


def test_user_attention_equals_a_loop() -> None:
    encoder = UserAttention(settings(), generator())
    found = encoded(encoder, queries())
    for row, items in enumerate(ROWS):
        if not items:
            assert not found[row].any()
            continue
        age = torch.arange(len(items), 0, -1).float() ** -0.5
        score = torch.tanh(encoder.key(VECTORS[items])) @ USER[row]
        share = torch.softmax(score + age.log(), dim=0)
        assert_close(found[row], (share @ VECTORS[items]).detach())


def test_placed_equals_a_loop() -> None:
    encoder, now = PositionWeighted(settings(3), generator()), queries()
    with torch.no_grad():
        encoder.place.normal_(generator=generator())
    found, weight = encoded(encoder, now), weights(now, torch.ones(6), 0.5)
    for row, items in enumerate(ROWS):
        expected = torch.zeros(8)
        for at, item in enumerate(items):
            place = min(len(items) - 1 - at, 2)  # Older ones share the last place.
            expected += weight[now.offsets[row] + at] * encoder.place[place] * VECTORS[item]
        assert_close(found[row], expected.detach())


def test_placed_starts_as_the_mean() -> None:
    assert_close(
        encoded(PositionWeighted(settings(3), generator()), queries()),
        encoded(Mean(settings(), generator()), queries()),
    )


def test_user_attention_of_a_user_of_whom_nothing_is_known_is_the_mean() -> None:
    now = queries()
    weight = weights(now, torch.ones(6), 0.5)
    encoder, nobody = UserAttention(settings(), generator()), torch.zeros_like(USER)
    assert_close(encoder(VECTORS, now.history, weight, now, nobody),
                 Mean(settings(), generator())(VECTORS, now.history, weight, now, nobody))  # fmt: skip


def test_self_attention_equals_a_loop() -> None:
    encoder, now = self_attention(), queries()
    found, mean = encoded(encoder, now), encoded(Mean(settings(), generator()), now)
    for row, items in enumerate(ROWS):
        if not items:
            assert not found[row].any()
            continue
        newest = items[::-1][:4]
        seen = encoder.items(VECTORS[newest]) + encoder.position[: len(newest)]
        heads = encoder.ask(encoder.query(mean[row])).view(2, 8)
        shares = [torch.softmax(seen @ head / 8**0.5, dim=0) for head in heads]
        mixed = encoder.leave(torch.cat([share @ seen for share in shares]))
        hidden = torch.relu(encoder.widen(encoder.between(mean[row] + mixed)))
        assert_close(found[row], (mean[row] + mixed + encoder.narrow(hidden)).detach())


def test_self_attention_starts_as_the_mean() -> None:
    encoder = SelfAttention(replace(settings(), attention_heads=3), generator())
    assert_close(encoded(encoder, queries()), encoded(Mean(settings(), generator()), queries()))


def test_self_attention_looks_at_the_newest_only() -> None:
    encoder, now = self_attention(longest=4), queries()
    not_in_the_mean = torch.tensor([0.0, 1, 0, 1, 1, 1])
    changed = VECTORS.clone()
    changed[2] += torch.arange(8)  # Item 2 is the fifth from the end of row 3, and in no other row.
    same = encoded(encoder, now, item_weight=not_in_the_mean)
    assert_close(encoded(encoder, now, changed, not_in_the_mean), same)
    changed[0] += torch.arange(8)
    assert not torch.allclose(encoded(encoder, now, changed, not_in_the_mean)[3], same[3])


def test_self_attention_knows_the_order() -> None:
    encoder = self_attention()
    now = queries()
    turned = QueryBatch.of(torch.arange(1), torch.tensor([4, 1, 3]), torch.tensor([0]), torch.tensor([3]))
    one = encoder(VECTORS, turned.history, torch.full((3,), 1 / 3), turned, USER[:1])
    with torch.no_grad():
        other = encoder(VECTORS, now.history, weights(now, torch.ones(6), 0.0), now, USER)[:1]
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("row", range(4))
def test_a_row_does_not_depend_on_the_others(row: int) -> None:
    items = torch.tensor(ROWS[row], dtype=torch.int64)
    alone = QueryBatch.of(torch.arange(1), items, torch.tensor([0]), torch.tensor([len(items)]))
    encoder = self_attention()
    with torch.no_grad():
        one = encoder(VECTORS, items, weights(alone, torch.ones(6), 0.5), alone, USER[row : row + 1])
    assert_close(one[0], encoded(encoder, queries())[row])


def test_recomputed_activations_give_the_same_gradients() -> None:
    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        encoder = self_attention(checkpointing=checkpointing).train()
        now = queries()
        encoder(VECTORS, now.history, weights(now, torch.ones(6), 0.5), now, USER).square().sum().backward()
        return [each.grad for each in encoder.parameters()]

    assert_close(gradients(True), gradients(False))


def test_self_attention_drops_nothing_when_it_answers() -> None:
    encoder, dropping = self_attention(), self_attention()
    dropping.dropout = 0.5
    expected = encoded(encoder, queries())
    assert_close(encoded(dropping.eval(), queries()), expected)
    assert not torch.allclose(encoded(dropping.train(), queries()), expected)


def test_dropout_takes_numbers_of_the_history_and_the_others_grow() -> None:
    train, own = planted().train, torch.arange(3)
    asked = {"similarity": "dot", "examples": "user", "embedding_dim": 400, "epochs": 1, "features": False}
    model = InfoNCE(**asked, history_dropout=0.25)
    model.fit(train, None, 0)
    towers, history = model.towers, torch.arange(9)
    now = QueryBatch.of(own, history, own * 3, own * 3 + 3)
    with torch.no_grad():
        whole, dropped = towers.users(now), towers.train().users(now)
    kept = dropped != 0
    assert_close(dropped[kept], whole[kept] / 0.75)
    assert 0.6 < kept.float().mean() < 0.9
