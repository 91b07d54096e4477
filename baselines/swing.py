"""Swing: items are similar when many pairs of users took both and little else in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import pair_sums
from retrieval_leaderboard.baselines.history_cap import sample
from retrieval_leaderboard.baselines.neighborhood import Neighborhood, target_exponent_rule
from retrieval_leaderboard.baselines.swing_blocks import (
    PARTS,
    by_groups,
    by_parts,
    by_work,
    has_table,
    offset_type,
    pair_sums_of,
    place_type,
    shared_items,
    similar,
)
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking import forecast, neighbor_memory
from retrieval_leaderboard.evaluation.ranking.item_neighbors import (
    Block,
    Pairs,
    activity,
    arrays,
    ranked,
    reckoned_activity,
    roots_of,
    users_of_items,
)
from retrieval_leaderboard.evaluation.ranking.neighbor_memory import CODE, ENTRY, WIDE
from retrieval_leaderboard.evaluation.ranking.sampled_users import SampledUsers
from retrieval_leaderboard.support import compute

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from retrieval_leaderboard.evaluation.models.earlier import Earlier

SAMPLE_USERS = 512
"""Of an item, that its time is measured with"""


@register("swing")
@dataclass
class Swing(Neighborhood):
    """Swing over all pairs of users.

    s(i, j) = |U_i|^-a |U_j|^-b Σ_{u ≠ v ∈ U_i ∩ U_j} w_u √(w_ui w_uj) w_v √(w_vi w_vj) / (α + |I_u ∩ I_v|),

    w_u = (|I_u| + offset)^-β, where i is the item of the history and j the item returned, and w_ui the
    weights of interactions: |U_i| = Σ_u w_ui and |I_u| = Σ_i w_ui, while |I_u ∩ I_v| is a number of items.
    Without weights each is 1, and the others are numbers of users and items. The sum is over ordered pairs:
    equation 2 of Yang et al., Large Scale Product Graph Construction for Recommendation in
    E-commerce, 2020, arXiv 2010.05525, whose weight is offset 0, β ½ and which has a = b = 0.
    """

    alpha: float = setting(3.0, at_least=0, search=(0.01, 100.0, "log"))
    """α: smoothing; the smaller, the more a pair with little in common counts."""
    user_offset: float = setting(0.0, at_least=0, search=[0.0, 5.0, 15.0])
    """Added to the number of a user's items in the user's weight."""
    user_exponent: float = setting(0.25, search=(0.0, 1.25))
    """β: a user with many items says less of each pair of them."""
    history_exponent: float = setting(1.5, search=(0.0, 2.0))
    target_exponent: float | Auto = setting(
        AUTO, at_least=0, search=[AUTO, 0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5]
    )
    max_users_per_item: int = setting(0, at_least=2)
    """Use at most this many users of an item, drawn at random, for its similarities; 0 uses all."""

    uses_weights: ClassVar[bool] = True
    rules: ClassVar[dict[str, Rule]] = Neighborhood.rules | {
        "target_exponent": target_exponent_rule(0.1, 1.0)
    }

    @property
    def stochastic(self) -> bool:
        """Only where users are drawn."""
        return self.max_users_per_item > 0

    def _bytes(self, pairs: Pairs, train: Interactions, top_k: int) -> int:
        """As of any neighborhood, with the table of shared items and each thread's lists."""
        kept = neighbor_memory.kept(train, top_k, pairs, takers=2)
        held, found = neighbor_memory.held(train), int(ENTRY * kept)
        table = 2 * train.n_users**2 if has_table(train) and not engines.asked().grouped else 0
        room = compute.current().threads * self._room(pairs, train, top_k) + engines.bytes_of_tasks(pairs)
        needs = neighbor_memory.by_item(train), held + table + room + found, held + 2 * found
        return max(neighbor_memory.numbers(train) + max(needs), self._bytes_stored(train, kept, PARTS))

    def _room(self, pairs: Pairs, train: Interactions, top_k: int) -> int:
        """Bytes that a thread works in: numbers of each item, heaps, and the lists of one item's users."""
        most = int(train.item_counts.max(initial=0))
        place = place_type(most).itemsize + (CODE if train.weight is not None else 0)
        of_item = WIDE + CODE + 2 * offset_type(train, most).itemsize
        heaps = ENTRY * -(-train.n_items // PARTS) * top_k
        return of_item * train.n_items + heaps + place * int(pairs.max(initial=0))

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Sum over all pairs of users, item by item, and keep the `top_k` largest similarities."""
        self.pair_sums_ = None  # That of an earlier warm start.
        settings = self.resolve(train, valid)
        numbers = {"alpha": np.float32(self.alpha), "top_k": settings["top_k"]}
        log = self._capped(train)
        self._say_duration(log, settings["top_k"], partial(similar, **numbers))
        sampled = None
        if self.max_users_per_item:
            sampled = sample(users_of_items(log), self.max_users_per_item, np.random.default_rng(seed))
        grouped = isinstance(engines.current(), engines.GroupedEngine)
        fitted = (by_groups if grouped else by_parts)(
            log, sampled, self._weights(log), self._item_norms(log, settings), numbers
        )
        self._set_similarity(fitted, settings, train)

    def warm_start(self, earlier: Earlier[Swing], train: Interactions, seed: int) -> None:
        """As `fit`, but of pairs with a changed user alone, from the second warm start on."""
        settings = self.resolve(train, None)
        self.pair_sums_ = pair_sums.updated(earlier, train, self._sums)
        norms = self._item_norms(train, settings)
        fitted = ranked(self.pair_sums_, norms, 0.0, settings["top_k"], "swing")
        self._set_similarity(fitted, settings, train)

    def lacking_warm_start(self) -> str:
        """Other users would be drawn than before."""
        if self.max_users_per_item:
            return "swing has a warm start with max_users_per_item=0 alone"
        return super().lacking_warm_start()

    def _sums(self, train: Interactions, users: npt.NDArray[np.bool_] | None) -> csr_array:
        """float64[n_items, n_items]: the sums over all pairs of users, or those with one of `users`."""
        from scipy.sparse import csr_array

        below = train.n_users
        if users is not None:
            train, below = pair_sums.with_users_first(train, users), int(users.sum())
        kept = train.user < below
        order = by_work(train)
        order = order[np.bincount(train.item[kept], minlength=train.n_items)[order] > 0]
        rows, most = users_of_items(train), int(train.item_counts.max(initial=0))
        log = (
            arrays(rows), arrays(train.by_user), *roots_of(train), self._weights(train), below,
            np.float32(self.alpha), place_type(most), offset_type(train, most),
            shared_items(train) if users is None else np.zeros((0, 0), np.uint16),
        )  # fmt: skip
        blocks = engines.current().map(pair_sums_of, (order, *log), PARTS, 1, "swing", "parts")
        lengths, codes, sums = map(np.concatenate, zip(*blocks, strict=True))
        item = np.repeat(np.concatenate([order[part::PARTS] for part in range(PARTS)]), lengths)
        return csr_array((sums, (item, codes)), shape=(train.n_items, train.n_items))

    def _weights(self, train: Interactions) -> npt.NDArray[np.float32]:
        """float32[n_users]: w_u."""
        lengths = np.where(train.user_counts > 0, train.user_weights, 1) + self.user_offset
        return (lengths**-self.user_exponent).astype(np.float32)

    def _say_duration(self, train: Interactions, top_k: int, kernel: Callable[..., Block]) -> None:
        """By the loop over some users: neither weights nor norms change what it takes."""
        sample = SampledUsers.of(train)
        log, n = sample.log, len(sample.users)
        users, no_norms = users_of_items(log), np.ones(train.n_items)
        longest = int(log.item_counts.max(initial=0))
        given = (
            arrays(log.by_user), *roots_of(log), np.ones(n, np.float32), no_norms, no_norms,
            place_type(longest), offset_type(log, longest),
            np.ones((n, n) if has_table(train) else (0, 0), np.uint16),
        )  # fmt: skip

        def timed(items: npt.NDArray[np.int32], users: forecast.Rows) -> Block:
            return kernel((users, *given), items)

        most = self.max_users_per_item or train.n_users
        lengths = np.minimum(train.item_counts, most).astype(np.float64)
        kept = lengths / np.maximum(train.item_counts, 1)
        pairs = reckoned_activity(train, sample)
        costs = pairs * lengths * kept, activity(log) * log.item_counts
        cut = min(SAMPLE_USERS, most)
        seconds = forecast.loop_seconds(timed, arrays(users), costs, cut, 2, PARTS)
        if not seconds:
            return
        forecast.say(
            "swing",
            seconds,
            f"{(lengths * (lengths - 1) / 2).sum():,.0f} pairs of users, and "
            f"{self._bytes(pairs, train, top_k) >> 20:,} MiB of memory; "
            "give --set swing.max_users_per_item=200 for less, or --engine spark for a cluster",
        )
