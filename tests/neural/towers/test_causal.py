import itertools
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from retrieval_leaderboard.neural import SasRec
from retrieval_leaderboard.neural.towers.causal import Causal, Layer, padding_of
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.support.devices.cpu import Cpu

DIM, LONGEST, ITEMS = 8, 12, 30
ROWS = [[3, 1, 4], [], [5], [2, 0, 1, 3, 4, 9, 8, 7], [6, 11], list(range(12))]
VECTORS = torch.randn(ITEMS, DIM, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=["by length", "one matrix"])
def padded(request, monkeypatch):
    monkeypatch.setattr(Cpu, "asynchronous", request.param == "one matrix")


def encoder() -> Causal:
    settings = SasRec(embedding_dim=DIM, attention_heads=2, max_history=LONGEST, dropout=0.0)
    generator = torch.Generator().manual_seed(3)
    made = Causal(settings, generator).eval()
    with torch.no_grad():  # Fresh layers add nothing: make them do something.
        for each in made.parameters():
            each.add_(torch.randn(each.shape, generator=generator) * 0.3)
    return made


def queries(rows: list[list[int]], everywhere: bool) -> QueryBatch:
    items = torch.tensor(list(itertools.chain(*rows)), dtype=torch.int64)
    stop = torch.tensor(list(map(len, rows))).cumsum(0)
    start = torch.cat([torch.zeros(1, dtype=torch.int64), stop[:-1]])
    users = torch.zeros(len(items) if everywhere else len(rows), dtype=torch.int64)
    return QueryBatch.of(users, items, start, stop, None, None, everywhere)


def encoded(made: Causal, rows: list[list[int]], everywhere: bool, vectors=VECTORS) -> torch.Tensor:
    now = queries(rows, everywhere)
    weight, user = torch.ones(len(now.history)), torch.zeros(len(now.user), DIM)
    return made(vectors, now.history, weight, now, user)


def plain_layer(layer: Layer) -> nn.TransformerEncoderLayer:
    """PyTorch's own with the same weights."""
    plain = nn.TransformerEncoderLayer(DIM, layer.heads, 4 * DIM, 0.0, batch_first=True, norm_first=True)
    with torch.no_grad():
        plain.self_attn.in_proj_weight.copy_(layer.ask.weight)
        plain.self_attn.in_proj_bias.zero_()
    pairs = {
        "self_attn.out_proj": layer.leave, "linear1": layer.widen, "linear2": layer.narrow,
        "norm1": layer.before, "norm2": layer.between,
    }  # fmt: skip
    for name, part in pairs.items():
        plain.get_submodule(name).load_state_dict(part.state_dict())
    return plain


def reference(made: Causal, rows: list[list[int]], vectors: torch.Tensor) -> torch.Tensor:
    """What a padded batch through PyTorch's own layers gives at each item, row by row."""
    rows = [row for row in rows if row]
    longest = max(map(len, rows))
    batch = torch.zeros(len(rows), longest, DIM)
    for at, row in enumerate(rows):
        batch[at, : len(row)] = vectors[row] + made.position[: len(row)].flip(0)
    mask = nn.Transformer.generate_square_subsequent_mask(longest)
    for layer in made.layers:
        batch = plain_layer(layer)(batch, mask)
    norm = nn.LayerNorm(DIM)
    norm.load_state_dict(made.last.state_dict())
    return torch.cat([norm(batch[at, : len(row)]) for at, row in enumerate(rows)])


def test_vectors_and_gradients_are_those_of_a_plain_transformer(padded) -> None:
    made, found = encoder(), []
    for way in (partial(encoded, everywhere=True), reference):
        leaf, made.position.grad = VECTORS.clone().requires_grad_(), None
        vectors = way(made, ROWS, vectors=leaf)
        (vectors * torch.linspace(-1, 1, vectors.numel()).view_as(vectors)).sum().backward()
        found.append((vectors.detach(), leaf.grad, made.position.grad))
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("changed", range(8))
def test_a_later_item_changes_no_earlier_vector(changed: int, padded) -> None:
    made, row = encoder(), ROWS[3]
    other = [*row[:changed], 20, *row[changed + 1 :]]
    before, after = encoded(made, [row], True), encoded(made, [other], True)
    assert_close(after[:changed], before[:changed])
    assert all(not torch.allclose(after[at], before[at]) for at in range(changed, len(row)))


def test_a_query_is_answered_by_what_its_newest_item_has(padded) -> None:
    made = encoder()
    ends, everywhere = encoded(made, ROWS, False), encoded(made, ROWS, True)
    stops = torch.tensor(list(map(len, ROWS))).cumsum(0)
    for row, (items, stop) in enumerate(zip(ROWS, stops, strict=True)):
        assert_close(ends[row], everywhere[stop - 1] if items else torch.zeros(DIM))


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_row_does_not_depend_on_the_others(row: int, padded) -> None:
    made = encoder()
    assert_close(encoded(made, [ROWS[row]], False)[0], encoded(made, ROWS, False)[row])


def test_histories_of_about_a_length_are_padded_together() -> None:
    rows = [[0] * length for length in (1, 30, 2, 31, 100, 3)]
    padding = padding_of(queries(rows, True), 200)
    assert padding.shapes == [(3, 3), (2, 31), (1, 100)]
    assert len(padding.cell.unique()) == len(padding.cell) and padding.cell.max() < padding.cells
