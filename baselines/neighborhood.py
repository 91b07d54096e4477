"""What the item-to-item models share: their settings, and answering from similarities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import history_cap, pair_sums, repeats
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking import item_neighbors, neighbor_memory, popularity
from retrieval_leaderboard.evaluation.ranking.item_neighbors import Norms
from retrieval_leaderboard.support.storage.mapped import CHUNK

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Settings = Mapping[str, Any]
CANDIDATES = 5_000
"""Similarities that the items of a mean history keep together"""
LONG = 50
"""Interactions a user, on average, from which popular items are held back further, in time order."""


def neighbors_kept(settings: Settings, train: Interactions, valid: Queries | None) -> int:
    """5,000 divided by the interactions of a user, yet at most 500 and a tenth of the items, and at least 50.

    Few items of a history have to reach further for enough candidates; of many, and in a small catalog,
    distant ones are noise.
    """
    wanted = round(CANDIDATES / max(train.interactions_a_user, 1))
    return max(min(wanted, 500, train.n_items // 10), 50)


def target_exponent_rule(usual: float, long: float) -> Rule:
    """`long` in time order where users have LONG interactions or more on average, else `usual`.

    A long history has something similar to every popular item, so that each of them would be returned.
    """

    def rule(settings: Settings, train: Interactions, valid: Queries | None) -> float:
        return long if train.ordered and train.interactions_a_user >= LONG else usual

    return rule


@dataclass
class Neighborhood(repeats.RepeatingRetriever):
    """An item-to-item model that keeps the largest similarities of each item.

    Places for which no item of the history has a neighbor are filled by popularity, as `global_hot` ranks.
    """

    top_k: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 20, 50, 100, 200, 500, 1000])
    """Similarities kept for each item of the side `prune_axis`; auto keeps 5,000 divided by the
    interactions of a user on average, yet at most 500 and a tenth of the items, and at least 50."""
    history_exponent: float = setting(0.6, search=(0.2, 1.2))
    """a: how far the weight of a popular item of the history is reduced."""
    target_exponent: float | Auto = setting(AUTO, at_least=0)
    """b: how far the score of a popular returned item is reduced. Auto takes 0.05 (item_cf) or 0.1 (swing),
    and 0.5 or 1.0 where the data is in time order and users have 50 interactions or more on average."""
    recency: float = setting(1.0, search=(0.0, 2.0))
    """The r-th history item from the end weighs r^-recency, where the data is in time order.

    Where seen items are kept and the last items tell most, more is better; where they are excluded, less."""
    prune_axis: Literal["target", "history"] = "target"
    """Which items have `top_k` neighbors: those returned ("target") or those of a history ("history")."""
    normalization: float = setting(0.3, at_least=0, search=[0.0, 0.15, 0.3, 0.5])
    """q: the similarities kept of an item of the history are divided by their sum^q; 1 lets every item of a
    history weigh alike (Deshpande and Karypis, Item-based top-N recommendation algorithms, TOIS 2004)."""

    max_items_per_user: int = setting(0, at_least=2)
    """Learn from at most this many of a user's items: the latest ones where the data is in time order, else
    some drawn at random; 0 takes all. Time, and what is sent by --grouped, grow with the square of it."""

    # Without an annotation it is no field, and so no setting.
    pair_sums_ = cast("csr_array | None", None)
    """float64[n_items, n_items]: what similarities are made of, kept by a warm start for the next one"""

    rules: ClassVar[dict[str, Rule]] = {"top_k": neighbors_kept, "self_similarity": repeats.rule(0.3)}
    saves_memory: ClassVar[str] = "lower top_k by --set MODEL.top_k=20, or give --engine spark for a cluster"

    grouped: ClassVar[bool] = True

    @classmethod
    def canonical(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings` without a cap of histories where there is none: runs of earlier versions had none."""
        of_base = super().canonical(settings)
        return {key: value for key, value in of_base.items() if (key, value) != ("max_items_per_user", 0)}

    def lacking_warm_start(self) -> str:
        """Items that a history lost to its cap would have to be taken off the sums of then."""
        capped = self.max_items_per_user > 0
        return f"{self.name} has a warm start with max_items_per_user=0 alone" if capped else ""

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Recency, where the data is not in time order; and as the base."""
        return super().without_effect(train, valid) | (set() if train.ordered else {"recency"})

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """Both views of the interactions, and the similarities kept."""
        settings, log = self.resolve(train, valid), self._capped(train)
        top_k, pairs = settings["top_k"], item_neighbors.reckoned_activity(log)
        # With a diagonal they are copied once more.
        more = neighbor_memory.kept(log, top_k, pairs) if settings.get("self_similarity") else 0
        return self._bytes(pairs, log, top_k) + int(neighbor_memory.ENTRY * more)

    def warm_start_bytes(self, train: Interactions) -> int:
        """That of a fit, and the sums of all pairs of items that a user took."""
        return self.fit_bytes(train, None) + pair_sums.bytes_needed(train)

    def _capped(self, train: Interactions) -> Interactions:
        """What a fit learns from."""
        return history_cap.capped(train, self.max_items_per_user)

    def _bytes(self, pairs: item_neighbors.Pairs, train: Interactions, top_k: int) -> int:
        """As `fit_bytes`, by `pairs` of `reckoned_activity`."""
        kept = neighbor_memory.kept(train, top_k, pairs)
        n_blocks = -(-train.n_items // item_neighbors.block_items(train))
        return max(
            neighbor_memory.numbers(train) + neighbor_memory.comparing(train, top_k, pairs, kept),
            self._bytes_stored(train, kept, n_blocks),
        )

    def _bytes_stored(self, train: Interactions, kept: float, n_blocks: int) -> int:
        """Of that, what `_set_similarity` takes with `kept` similarities that were found in `n_blocks`."""
        # Those of the other side are in an array of their own.
        copies = 2 if self.prune_axis == "target" else 1
        return neighbor_memory.stored(train, kept, copies, n_blocks, self.normalization > 0)

    @staticmethod
    def _user_weights(train: Interactions, exponent: float) -> npt.NDArray[np.float64]:
        """float64[n_users]: |I_u|^-exponent, |I_u| the sum of the weights of u's interactions."""
        lengths = np.where(train.user_counts > 0, train.user_weights, 1)
        # The kernel knows an item it has met by a sum above 0, and ranks by finite ones.
        least = 1.0 if train.weight is None else train.weight.min(initial=1.0)
        return np.clip(lengths ** -float(exponent), np.finfo(np.float64).tiny / least, 1e100)

    def _norms(self, size: npt.NDArray[Any], target_exponent: float) -> tuple[Norms, Norms]:
        """float64[n_items] each: divisors of an item as the one that keeps neighbors, and as neighbor.

        `size` [n_items], all above 0, is how popular each item is.
        """
        size = size.astype(np.float64)
        target, history = size**target_exponent, size**self.history_exponent
        return (target, history) if self.prune_axis == "target" else (history, target)

    def _item_norms(self, train: Interactions, settings: Settings) -> tuple[Norms, Norms]:
        """As `_norms`, by the weights of the users of each item."""
        size = np.where(train.item_counts > 0, train.item_weights, 1)
        return self._norms(size, settings["target_exponent"])

    def _set_similarity(self, neighbors: csr_array, settings: Settings, train: Interactions) -> None:
        """Answer from `neighbors`, whose row i holds what is kept for item i."""
        self.recency_ = self.recency if train.ordered else 0.0
        similarity = neighbors.T.tocsr() if self.prune_axis == "target" else neighbors
        if self.normalization:
            sums = np.asarray(similarity.sum(axis=1, dtype=np.float64))  # (items,)
            divisors = np.maximum(sums, np.finfo(np.float64).tiny) ** self.normalization
            _divide(similarity, divisors.astype(np.float32))
        self.similarity_ = self._with_self(similarity, settings, train)
        self.popular_ = popularity.ranked(train.item_weights, train)


def _divide(similarity: csr_array, divisors: npt.NDArray[np.float32]) -> None:
    """Divide each row by its divisor, some at a time: there is no room for a divisor of each number."""
    rows = Ragged.from_offsets(similarity.indices, similarity.indptr.astype(np.int64))
    for block in rows.cuts(CHUNK):
        some = slice(rows.start[block][0], rows.stop[block][-1])
        similarity.data[some] /= np.repeat(divisors[block], rows.lengths[block])
