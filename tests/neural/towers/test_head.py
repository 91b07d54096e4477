import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.towers.head import Cross, FactorizationMachine, Head

FIELDS = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))


def head(**settings) -> Head:
    return Head(3, InfoNCE(embedding_dim=4, features=False, **settings), torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [
    {}, {"mlp": "8-6"}, {"interaction": "cross"}, {"interaction": "fm", "mlp": "8", "norm": "layer"},
], ids=str)  # fmt: skip
def test_starts_as_the_sum_of_the_fields(shape) -> None:
    assert_close(head(**shape)(FIELDS), FIELDS.sum(dim=1))


def test_a_batch_of_one_row_is_normalized_by_the_running_means() -> None:
    part = head(mlp="8", norm="batch")
    torch.nn.init.ones_(part.layers[-1].weight)
    for _ in range(200):
        part(FIELDS)
    trained = part(FIELDS[:1])
    part.eval()
    assert_close(trained, part(FIELDS[:1]))


@pytest.mark.parametrize("shape", [{"mlp": "8"}, {"interaction": "cross"}, {"interaction": "fm"}], ids=str)
def test_the_deep_part_learns_what_a_sum_cannot_say(shape) -> None:
    fields = torch.randn(512, 3, 4, generator=torch.Generator().manual_seed(2))
    goal = fields[:, 0] * fields[:, 1]  # (512, 4)
    part = head(**shape | {"mlp": "64"})
    optimizer = torch.optim.Adam(part.parameters(), 0.01)
    for _ in range(300):
        optimizer.zero_grad()
        loss = ((part(fields) - fields.sum(dim=1) - goal) ** 2).mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.25 * (goal**2).mean()


def test_cross_is_dcn_v2() -> None:
    cross = Cross(3, 4)
    x0 = FIELDS.flatten(1)
    x1 = x0 * (x0 @ cross.layers[0].weight.T + cross.layers[0].bias) + x0
    x2 = x0 * (x1 @ cross.layers[1].weight.T + cross.layers[1].bias) + x1
    assert_close(cross(FIELDS), x2)


def test_factorization_machine_sums_the_products_of_pairs() -> None:
    pairs = FIELDS[:, 0] * FIELDS[:, 1] + FIELDS[:, 0] * FIELDS[:, 2] + FIELDS[:, 1] * FIELDS[:, 2]
    assert_close(FactorizationMachine(3, 4)(FIELDS), torch.cat([FIELDS.flatten(1), pairs], dim=1))


def test_norms_and_dropout_are_where_they_belong() -> None:
    names = [type(layer).__name__ for layer in head(mlp="8-6", norm="batch", dropout=0.5).layers]
    block = ["BatchNorm", "Linear", "ReLU", "Dropout"]
    assert names == [*block, *block, "Linear"]
