"""How long to train, how fast to learn, when to look at the validation queries and when to stop."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.metrics.measure import VALID_K
from retrieval_leaderboard.neural.training import popularity
from retrieval_leaderboard.support import ranks

RecommendBy = Callable[[Queries, int, float], npt.NDArray[np.int32]]
"""Queries, k and popularity exponent → items int32[q, k]"""

WARM_UP = 0.05
"""Share of all steps in which the learning rate rises from 0."""
MOST_EVALUATIONS = 20
"""In one fit: with more, chance decides which is best."""
EVALUATION_SHARE = 0.15
"""Most time that evaluations may take, as a share of the training time."""
COST_RATIO = 4
"""Time to train on one score of an example and a negative, over the time to rank one score of a query and
an item. Measured with 64 dimensions on two CPU cores: 4 with 10,000 negatives a batch, 12 with 2,000."""
STATE = ("exponent", "best_score", "best_epoch", "best_exponent", "waited")
"""What changes as epochs are scored"""
VALID_QUERIES = 5000
"""Most validation queries in an evaluation."""


def rate(done: float, averaging: float) -> float:
    """Share of the learning rate when a share `done` of all steps is done.

    A linear warm-up, then half a cosine down to 0 (Loshchilov & Hutter 2017, without restarts), which stops
    where weights begin to be averaged, over a share `averaging` of all steps.
    """
    return min(done / WARM_UP, 0.5 * (1 + math.cos(math.pi * min(done, 1 - averaging))))


def dealt(queries: Queries) -> Queries:
    """Those of `queries` that this process ranks; by rank they come one after the other."""
    bounds = [len(queries) * rank // ranks.world() for rank in (ranks.rank(), ranks.rank() + 1)]
    return queries.take(slice(*bounds)) if ranks.world() > 1 else queries


class EarlyStopping:
    """Knows which epoch, and which popularity exponent, was best by NDCG@20 on a sample of the validation
    queries; epoch 0 where none ranked a relevant item.
    """

    def __init__(
        self,
        valid: Queries,
        scores: int,
        n_items: int,
        epochs: int,
        patience: int,
        seed: int,
        exponent: float = 0.0,
        chooses_exponent: bool = False,
    ) -> None:
        """`scores` counts those of an example with a negative in one epoch; `epochs` is the horizon.

        Items are ranked by `exponent`; where it is to be chosen, it is what the choice begins with.
        """
        self.epochs, self.patience = epochs, patience
        self.exponent, self.chooses_exponent = exponent, chooses_exponent
        sample = np.random.default_rng(seed).permutation(len(valid))[:VALID_QUERIES]
        self.queries = dealt(valid.take(np.sort(sample)))
        """Those that this process ranks"""
        ranked = len(sample) * n_items * (popularity.SCORED if chooses_exponent else 1)
        trained = scores * COST_RATIO * EVALUATION_SHARE
        self.every = max(math.ceil(ranked / trained), math.ceil(epochs / MOST_EVALUATIONS))
        self.best_score, self.best_epoch, self.best_exponent, self.waited = 0.0, 0, exponent, 0

    def due(self, epoch: int) -> bool:
        """Whether to evaluate after `epoch`, counted from 1."""
        return epoch % self.every == 0 or epoch == self.epochs

    def score(self, epoch: int, recommend: RecommendBy) -> float:
        """NDCG@20 of what `recommend` gives now; `best_epoch` is `epoch` if none was better.

        It is the mean over the queries of all processes, and the same in each of them.
        """

        def of(exponent: float) -> float:
            items = recommend(self.queries, VALID_K, exponent)
            scores = measure.per_query(items, self.queries.relevant, VALID_K)["ndcg"]
            counted = np.array([np.nansum(scores), np.count_nonzero(~np.isnan(scores))])
            total, queries = ranks.sum_over(counted)
            return ranks.broadcast(float(total / queries))

        if self.chooses_exponent:
            self.exponent, score = popularity.climb(of, self.exponent)
        else:
            score = of(self.exponent)
        self.waited += 1
        if score > self.best_score:
            self.best_score, self.best_epoch, self.waited = score, epoch, 0
            self.best_exponent = self.exponent
        return score

    def state(self) -> dict[str, float]:
        """What `restore` goes on from."""
        return {name: getattr(self, name) for name in STATE}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from what `state` gave."""
        for name in STATE:
            setattr(self, name, state[name])

    @property
    def stop(self) -> bool:
        """Whether patience is at an end."""
        return self.waited >= self.patience
