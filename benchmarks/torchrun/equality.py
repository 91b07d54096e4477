"""The same steps by one process and by several: how far apart losses and weights are after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.support import compute

STEPS = 24
N_ITEMS = 32
"""Of the planted dataset"""
SMALL = {
    "embedding_dim": 16, "batch_size": 20, "negatives": 12, "epochs": 12,
    "features": False, "id_dropout": 0.0,
}  # fmt: skip
FEATURES = {"features": True, "user_share": 0.3, "mlp": "8", "neighbors": 0}
ATTENTION = {"examples": "interaction", "history_encoder": "self_attention", "max_history": 4}
SEQUENCES = {"max_history": 4, "dropout": 0.0}


@dataclass(frozen=True)
class Case:
    """A model with its settings."""

    model: str
    what: str
    settings: dict[str, Any]
    within: float = 1e-6
    """How far apart one process and several may be after `STEPS`"""
    hard: bool = False
    """Whether an epoch but the first begins with lists of hard negatives"""


CASES = (
    Case("infonce", "in-batch and drawn negatives", {}),
    Case("infonce", "drawn negatives alone", {"in_batch": False}),
    Case("infonce", "hard negatives", {"hard_negatives": 2}, hard=True),
    Case("infonce", "features, MLP, layer norm", FEATURES | {"norm": "layer"}),
    Case("infonce", "self-attention over histories", ATTENTION),
    Case("infonce", "neighbors, one table for histories", {"neighbors": 3, "shared_history": True}),
    Case("infonce", "batches of one example", {"batch_size": 1}),
    Case("infonce", "features, factorization machine", FEATURES | {"interaction": "fm"}),
    Case("bsl", "drawn negatives", {}),
    Case("bsl", "features, MLP, batch norm", FEATURES | {"norm": "batch"}),
    Case("bsl", "self-attention over histories", ATTENTION),
    Case("bsl", "weight averaging", {"averaging": 0.7}),
    Case("bsl", "context, position-weighted histories", ATTENTION | {
        "history_encoder": "position_weighted", "context": True,
    }),
    Case("bsl", "features, cross layers, user attention", FEATURES | {
        "interaction": "cross", "history_encoder": "user_attention",
    }, 1e-5),
    Case("simplex_ccl", "drawn negatives", {}),
    Case("simplex_ccl", "neighbors", {"neighbors": 3}),
    Case("dssm_bce", "drawn negatives", {}),
    Case("sasrec", "softmax", SEQUENCES),
    Case("sasrec", "all negatives", SEQUENCES | {"every_negative": True}),
    Case("sasrec", "generalized BCE", SEQUENCES | {"loss": "gbce"}),
)  # fmt: skip
Learned = dict[str, list[Tensor]]
"""Losses of steps, tables, dense weights"""


def trained(case: Case, train: Interactions, tables: str = "replicated", steps: int = STEPS) -> Learned:
    """Losses of so many steps, and what they learned: of all processes, in each of them."""
    compute._current = replace(compute.current(), tables=tables)
    model = next(each for each in neural.MODELS if each.name == case.model)
    settings = model(**SMALL | case.settings).resolved(train, None)
    trainer = Trainer(settings, settings.pair_loss, train, 0)
    losses = [trainer.group.total(trainer.step(batch)) for batch in _batches(trainer, case, train, steps)]
    trainer.averaging.swap()
    towers = trainer.group.whole(trainer.towers)
    kept = [part.rows for part in towers.modules() if isinstance(part, Table)]
    dense = [each.detach() for each in towers.parameters()]
    means = [each for name, each in towers.named_buffers() if "running" in name]
    return {"losses": losses, "tables": kept, "dense": dense + means}


def _batches(trainer: Trainer, case: Case, train: Interactions, steps: int) -> Iterator[Batch]:
    """So many batches, of as many epochs as they take."""
    trainer.towers.train()
    epoch = 0
    while True:
        epoch += 1
        if case.hard:
            for sampler in trainer.batcher.samplers:
                sampler.begin_epoch(epoch, _listed, train)
        for batch in trainer.batcher.epoch(trainer.examples()):
            yield batch
            steps -= 1
            if not steps:
                return


def _listed(queries: Queries, k: int) -> npt.NDArray[np.int32]:
    """A list of each user: other items for each, which do not depend on how towers rounded."""
    return ((queries.user[:, None] * 7 + np.arange(k)) % N_ITEMS).astype(np.int32)


def trained_cases(places: Sequence[int], train: Interactions, tables: str) -> list[Learned]:
    """`trained` of those of `CASES`."""
    return [trained(CASES[place], train, tables) for place in places]


def apart(one: Learned, other: Learned) -> dict[str, float]:
    """The largest difference of each kind."""
    return {kind: _largest(one[kind], other[kind]) for kind in one}


def _largest(ones: list[Tensor], others: list[Tensor]) -> float:
    pairs = zip(ones, others, strict=True)
    return max((float((one - other).abs().max()) for one, other in pairs if one.numel()), default=0.0)
