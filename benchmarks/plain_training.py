"""Two towers trained as one would write it first; `docs/speed.md` sets its times beside ours.

A row is one interaction. Embeddings are `nn.Embedding`, whose gradients are as large as the tables, and
the optimizer is PyTorch's own. The user is the mean of all the user's items, scaled to length 1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.datasets.dataset import Interactions

Loss = Callable[["Towers", list[Tensor], Tensor, Tensor], Tensor]
"""float[] of the towers, the history int64[h] of each row, targets int64[b], and the negatives."""


class Towers(nn.Module):
    """A user is the mean of the history's vectors; user and item are compared by cosine."""

    def __init__(self, n_items: int, dim: int) -> None:
        super().__init__()
        self.history = nn.EmbeddingBag(n_items, dim, mode="mean")
        self.item = nn.Embedding(n_items, dim)

    def users(self, histories: list[Tensor]) -> Tensor:
        """float32[b, dim], of length 1."""
        ends = torch.tensor([len(history) for history in histories]).cumsum(0)
        starts = functional.pad(ends, (1, 0))[:-1]
        return functional.normalize(self.history(torch.cat(histories), starts), dim=1)

    def items(self, ids: Tensor) -> Tensor:
        """float32[*ids.shape, dim], of length 1."""
        return functional.normalize(self.item(ids), dim=-1)


def cosine_contrastive(
    towers: Towers, histories: list[Tensor], target: Tensor, negative: Tensor, margin: float, weight: float
) -> Tensor:
    """The loss of `neural.losses.cosine_contrastive`, `negative` int64[b, m] being each row's own."""
    user = towers.users(histories)  # (b, dim)
    positive = (user * towers.items(target)).sum(dim=1)  # (b,)
    scores = (towers.items(negative) @ user.unsqueeze(2)).squeeze(2)  # (b, m)
    pushed = functional.relu(scores - margin).mean(dim=1)
    return (functional.relu(1 - positive) + weight * pushed).mean()


def sampled_softmax(
    towers: Towers, histories: list[Tensor], target: Tensor, negative: Tensor, temperature: float
) -> Tensor:
    """The loss of `neural.losses.sampled_softmax` without log_q, `negative` int64[m] shared by all rows."""
    user = towers.users(histories)  # (b, dim)
    positive = (user * towers.items(target)).sum(dim=1, keepdim=True)  # (b, 1)
    logits = torch.cat([positive, user @ towers.items(negative).T], dim=1) / temperature  # (b, 1 + m)
    return functional.cross_entropy(logits, torch.zeros(len(user), dtype=torch.int64))


class Training:
    """Towers, data and optimizer of one fit."""

    def __init__(
        self,
        train: Interactions,
        loss: Loss,
        negatives: int,
        shared: bool,
        optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        dim: int = 64,
        batch_size: int = 512,
    ) -> None:
        """`negatives` are drawn uniformly for each row or, `shared`, for the whole batch."""
        self.train, self.loss, self.batch_size = train, loss, batch_size
        self.negatives, self.shared = negatives, shared
        self.user, self.item = torch.as_tensor(train.user), torch.as_tensor(train.item).long()
        self.history = [torch.as_tensor(train.by_user[user]).long() for user in range(train.n_users)]
        self.towers = Towers(train.n_items, dim)
        self.optimizer = optimizer(self.towers.parameters(), lr=0.01)  # type: ignore[call-arg]

    @property
    def steps_an_epoch(self) -> int:
        """Batches that hold every interaction once."""
        return -(-len(self.train) // self.batch_size)

    def steps(self, n: int) -> list[float]:
        """The losses of the first `n` steps of an epoch."""
        order = torch.randperm(len(self.train))
        return [float(self.step(chosen)) for chosen in order.split(self.batch_size)[:n]]

    def step(self, chosen: Tensor) -> Tensor:
        """Update the towers by the interactions `chosen`, int64[b]; their loss, float[]."""
        histories = [self.history[user] for user in self.user[chosen].tolist()]
        shape = (self.negatives,) if self.shared else (len(chosen), self.negatives)
        negative = torch.randint(self.train.n_items, shape)
        self.optimizer.zero_grad()
        loss = self.loss(self.towers, histories, self.item[chosen], negative)
        loss.backward()
        self.optimizer.step()
        return loss.detach()
