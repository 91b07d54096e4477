"""What a dataset is to the rest of the suite: interactions to learn from and queries to answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ids import BLOCK as IDS_AT_ONCE
from retrieval_leaderboard.datasets.ids import RawIds
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.support.storage.mapped import blocks, counts, loaded, sums

if TYPE_CHECKING:
    from retrieval_leaderboard.datasets.profile import Profile

POLICIES = {True: "seen items excluded", False: "seen items kept"}
"""`Dataset.exclude_seen` in words"""
TIES_IN_WORDS = {"source": "ties as in the source"}
"""`Dataset.ties` in words, where it is not the usual one"""


def split_in_words(protocol: str, ties: str, exclude_seen: bool | None) -> str:
    """How a log is split, by the fields of `Dataset`; the policy is left out where `exclude_seen` is None."""
    policy = None if exclude_seen is None else POLICIES[exclude_seen]
    return ", ".join(filter(None, (protocol, TIES_IN_WORDS.get(ties), policy)))


@dataclass(frozen=True, repr=False)
class Interactions:
    """Who took what and when: the table a model learns from, sorted by user, then time.

    A (user, item) pair stands once. Users and items are codes; a code with no row here is cold.
    """

    user: npt.NDArray[np.int32]
    """int32[n], ascending"""
    item: npt.NDArray[np.int32]
    """int32[n]"""
    timestamp: npt.NDArray[np.int64] | None
    """int64[n], unix seconds; None where the source has no times"""
    n_users: int
    """Size of the user code space, cold users included."""
    n_items: int
    """Size of the catalog: every item a model may return, cold items included."""
    ordered: bool = True
    """Whether the order within a user is the order in time; some sources lost it."""
    user_features: Features | None = None
    item_features: Features | None = None
    context: Features | None = None
    """row i tells where interaction i happened, such as the placement of an ad; None where unknown"""
    weight: npt.NDArray[np.float32] | None = None
    """float32[n], above 0: what each interaction counts beside the others; None where all count alike"""
    last_timestamp: npt.NDArray[np.int64] | None = None
    """int64[n], when the pair came last, as `timestamp` is when it came first; None where no pair came again
    """

    def __len__(self) -> int:
        return len(self.user)

    def __repr__(self) -> str:
        return f"Interactions({len(self):,} of {self.n_users:,} users with {self.n_items:,} items)"

    def take(self, rows: npt.NDArray[np.int64]) -> Interactions:
        """The given rows, int64[m], under the same codes; ascending ones stay sorted by user."""
        return replace(
            self,
            user=self.user[rows],
            item=self.item[rows],
            timestamp=None if self.timestamp is None else self.timestamp[rows],
            context=None if self.context is None else self.context.take(rows),
            weight=None if self.weight is None else self.weight[rows],
            last_timestamp=None if self.last_timestamp is None else self.last_timestamp[rows],
        )

    @cached_property
    def by_user(self) -> Ragged:
        """The items of each user, in time order: `n_users` rows that share `item`."""
        return Ragged.from_offsets(self.item, offsets_of(self.user_counts))

    def queries(self, users: npt.NDArray[np.int64]) -> Queries:
        """What is asked of `users`, who have interactions, when and where their last one happened."""
        taken = self.by_user.take(users)
        last = taken.stop - 1
        return Queries(
            users.astype(np.int32),
            history=taken,
            exclude=taken,
            relevant=Ragged.empty(len(users)),
            timestamp=None if self.timestamp is None else self.timestamp[last],
            context=None if self.context is None else self.context.take(last),
        )

    @cached_property
    def item_counts(self) -> npt.NDArray[np.int64]:
        """int64[n_items]: users who took each item."""
        return counts(self.item, self.n_items)

    @cached_property
    def item_weights(self) -> npt.NDArray[np.float64]:
        """float64[n_items]: the sum of the weights of each item's interactions, each 1 without weights."""
        return self._weights(self.item, self.item_counts)

    @cached_property
    def user_weights(self) -> npt.NDArray[np.float64]:
        """float64[n_users]: the sum of the weights of each user's interactions, each 1 without weights."""
        return self._weights(self.user, self.user_counts)

    @cached_property
    def mean_weight(self) -> float:
        """The mean of the weights; 1 without weights or interactions."""
        return float(self.item_weights.sum() / len(self)) if self.weight is not None and len(self) else 1.0

    def _weights(
        self, codes: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """The sum of the weights of each code, of which there are `numbers`."""
        weight = self.weight
        if weight is None:
            return numbers.astype(np.float64)
        return sums(codes, lambda part: weight[part], len(numbers))

    @cached_property
    def user_counts(self) -> npt.NDArray[np.int64]:
        """int64[n_users]: items each user took."""
        return counts(self.user, self.n_users)

    @cached_property
    def active_users(self) -> int:
        """Users who took any item."""
        return int((self.user_counts > 0).sum())

    @cached_property
    def interactions_a_user(self) -> float:
        """The mean over the users who took any; 0 where nobody did."""
        return len(self) / max(self.active_users, 1)

    @property
    def has_features(self) -> bool:
        """Whether users or items have features."""
        return self.item_features is not None or self.user_features is not None


@dataclass(frozen=True, repr=False)
class Queries:
    """Users at a moment, each to be answered with the items that come next."""

    user: npt.NDArray[np.int32]
    """int32[q]; -1 for a user without a code"""
    history: Ragged
    """q rows: the items before the moment, in time order where the source has one"""
    exclude: Ragged
    """q rows: items that may not be returned"""
    relevant: Ragged
    """q rows: the held-out truth, disjoint from `exclude`"""
    timestamp: npt.NDArray[np.int64] | None = None
    """int64[q], unix seconds; None where the source has no times"""
    user_features: Features | None = None
    """row i describes the user of query i, for users without a code (user -1); None where nothing is given"""
    context: Features | None = None
    """row i tells where query i is asked, in the columns of the interactions' context"""

    def __len__(self) -> int:
        return len(self.user)

    def early(self, known: Interactions) -> npt.NDArray[np.bool_]:
        """bool[q]: which are asked before their user's last interaction in `known`; none without times."""
        found = np.zeros(len(self), dtype=np.bool_)
        if self.timestamp is not None and known.timestamp is not None:
            taken = known.by_user.take(np.maximum(self.user, 0).astype(np.int64))
            some = (self.user >= 0) & (taken.lengths > 0)
            found[some] = known.timestamp[taken.stop[some] - 1] > self.timestamp[some]
        return found

    def __repr__(self) -> str:
        return f"Queries({len(self):,}, with {int(self.relevant.lengths.sum()):,} relevant items)"

    @property
    def excludes_seen(self) -> bool:
        """Whether some items may not be returned."""
        return bool(self.exclude.lengths.any())

    def without_answers(self) -> Queries:
        """The same queries with no relevant items: what a model is asked."""
        return replace(self, relevant=Ragged.empty(len(self)))

    def take(self, rows: slice | npt.NDArray[np.int64]) -> Queries:
        """The given queries, sharing the arrays of items."""
        return Queries(
            self.user[rows],
            self.history.take(rows),
            self.exclude.take(rows),
            self.relevant.take(rows),
            None if self.timestamp is None else self.timestamp[rows],
            None if self.user_features is None else self.user_features.take(rows),
            None if self.context is None else self.context.take(rows),
        )


@dataclass(frozen=True, repr=False)
class Dataset:
    """One source under one protocol: everything a run needs and a table must say."""

    name: str
    """Also the folder of its results; the embedded data is never called by a real dataset's name."""
    protocol: str
    """A key of `splits.registry.PROTOCOLS`."""
    exclude_seen: bool
    """Whether a user's earlier items are kept out of the answer."""
    split_seed: int
    """Seed of everything random in the split: carved validation, ties that are drawn."""
    train: Interactions
    """What a model learns from while settings and epochs are chosen on `valid`."""
    valid: Queries
    train_valid: Interactions
    """What the final model learns from: `train` and the validation part."""
    test: Queries
    user_ids: RawIds
    """n_users: raw id (str) of each user code"""
    item_ids: RawIds
    """n_items: raw id (str) of each item code"""
    title: str = ""
    """How tables call it: the name, and what else tells this content from other content of that name."""
    synthetic: bool = False
    candidates: str = ""
    """Which items the catalog holds, in words"""
    notes: tuple[str, ...] = ()
    """What a reader of its table should know: rows dropped, overlaps, counts unlike the published."""
    carve: str = ""
    """How validation was carved from each user's rows: "draw", "block"; "" where times or events decide"""
    ties: str = ""
    """The order of a user's interactions at one time, a key of `order.TIES`; "" where it decides nothing"""
    validation: str = ""
    """Which rows the validation part is, in words"""
    profile: Profile | None = None
    """What it is made of and how it was read; no part of the fingerprint"""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `load` by which it is loaded again, as JSON holds them; {} where there are none"""

    def __repr__(self) -> str:
        return (
            f"Dataset({self.heading}; {len(self.user_ids):,} users, {len(self.item_ids):,} items, "
            f"{len(self.train_valid):,} interactions, {len(self.test):,} test queries)"
        )

    @property
    def heading(self) -> str:
        """Title, and how it is split, in one line."""
        return f"{self.title or self.name}: {split_in_words(self.protocol, self.ties, self.exclude_seen)}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of content, split and protocol, 12 hex digits; equal on every machine.

        Synthetic data goes without `last_timestamp`: its stored runs are older than that.
        """
        digest = hashlib.blake2b(digest_size=6)
        digest.update(f"{self.protocol} {self.exclude_seen} {self.split_seed}".encode())
        for part in (self.train, self.train_valid):
            digest.update(f"{part.n_users} {part.n_items} {part.ordered}".encode())
            update(digest, part.user, part.item, part.timestamp)
            update_features(digest, part.context)
            if part.weight is not None:
                digest.update(b"any unit")  # Runs for which the unit made a difference are no longer taken.
                update(digest, part.weight)
            if part.last_timestamp is not None and not self.synthetic:
                update(digest, part.last_timestamp)
        for queries in (self.valid, self.test):
            update(digest, queries.user, queries.timestamp)
            update_features(digest, queries.context)
            for rows in (queries.history, queries.exclude, queries.relevant):
                for values in rows.blocks():
                    update(digest, values)
                update(digest, offsets_of(rows.lengths))
        for features in (self.train.user_features, self.train.item_features):
            update_features(digest, features)
        for ids in (self.user_ids, self.item_ids):
            for block in blocks(len(ids), IDS_AT_ONCE):
                digest.update(b"\n" * (block.start > 0) + "\n".join(ids[block]).encode())
        return digest.hexdigest()


def update(digest: hashlib.blake2b, *arrays: npt.NDArray | None) -> None:
    """Hash arrays."""
    for array in arrays:
        if array is None:
            digest.update(b"none")
        else:
            for block in blocks(len(array)):
                digest.update(_bytes(loaded(array[block])))


def _bytes(array: npt.NDArray) -> memoryview:
    """An array's memory, not copied where it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def update_features(digest: hashlib.blake2b, features: Features | None) -> None:
    """Hash a table of features, where there is one."""
    if features is None:
        return
    for columns in features.by_kind().values():
        for name, column in sorted(columns.items()):
            digest.update(name.encode())
            update(digest, *column.arrays().values())
