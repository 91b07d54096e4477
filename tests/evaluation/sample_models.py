"""Models for the tests of the harness: a good one, and each kind of broken one."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from retrieval_leaderboard.evaluation import EmbeddingRetriever, Retriever
from retrieval_leaderboard.support.errors import InputError


@dataclass
class Popular(EmbeddingRetriever):
    """Scores by training counts."""

    power: float = 1.0
    """Exponent of the count"""
    stochastic: ClassVar[bool] = False

    def fit(self, train, valid, seed):
        self.counts_ = train.item_counts.astype(np.float32)[:, None] ** self.power

    def encode_queries(self, queries):
        return np.ones((len(queries), 1), dtype=np.float32)

    def encode_items(self):
        return self.counts_


@dataclass
class Seeded(Popular):
    """Other lists for other seeds."""

    stochastic: ClassVar[bool] = True

    def fit(self, train, valid, seed):
        self.counts_ = np.random.default_rng(seed).random((train.n_items, 1), dtype=np.float32)


@dataclass
class KnowsFeatures(Seeded):
    """Says that it knows something of items without training interactions."""

    @property
    def reaches_cold_items(self):
        return True


@dataclass
class Tunable(EmbeddingRetriever):
    """On planted data right where `place` is 1, the worse the farther from it, and broken beyond 3.5."""

    place: float = 3.0
    """What matters"""
    size: int = 2
    """What does not"""
    fixed: int = 0
    """What is not searched"""
    stochastic: ClassVar[bool] = False
    search_space: ClassVar[dict] = {"place": (0.0, 4.0), "size": [1, 2, 4]}

    def fit(self, train, valid, seed):
        if self.place > 3.5:
            raise ValueError(f"place {self.place} is too far")
        noise = np.random.default_rng(0).random((train.n_items, 4), dtype=np.float32)
        self.vectors_ = (np.eye(4)[np.arange(train.n_items) % 4] + abs(self.place - 1) * noise).astype(
            np.float32
        )

    def encode_queries(self, queries):
        return np.eye(4, dtype=np.float32)[queries.user % 4]

    def encode_items(self):
        return self.vectors_


@dataclass
class ReadsSizeOne(Tunable):
    """Other sizes are alike."""

    @classmethod
    def unread(cls, settings):
        return frozenset({"size"} if settings["size"] > 1 else ())


@dataclass
class Choosy(Tunable):
    """Takes no place beyond 2 with a size of 4."""

    def __post_init__(self):
        if self.place > 2 and self.size == 4:
            raise InputError(f"place {self.place} is for smaller sizes")


@dataclass
class Trained(Tunable):
    """The better the longer it trains, up to 20 epochs."""

    epochs: int = 6
    horizon: ClassVar[str] = "epochs"
    search_space: ClassVar[dict] = {"place": (0.0, 3.0)}

    def fit(self, train, valid, seed):
        self.place = 3.4 - 0.1 * self.epochs + 0.1 * abs(self.place - 1)
        super().fit(train, valid, seed)


@dataclass
class ReturnsNan(Popular):
    def encode_items(self):
        return np.full_like(self.counts_, np.nan)


@dataclass
class ForgetsToExclude(Popular):
    def recommend(self, queries, k):
        order = np.argsort(-self.counts_[:, 0], kind="stable")[:k].astype(np.int32)
        items = np.full((len(queries), k), -1, dtype=np.int32)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        items[:, : len(order)], scores[:, : len(order)] = order, self.counts_[order, 0]
        return items, scores


@dataclass
class Repeats(Popular):
    def recommend(self, queries, k):
        return np.full((len(queries), k), 31, np.int32), np.ones((len(queries), k), np.float32)


@dataclass
class ReturnsListsOnly(Popular):
    def recommend(self, queries, k):
        return super().recommend(queries, k)[0]


@dataclass
class Unrepeatable(Popular):
    def fit(self, train, valid, seed):
        self.counts_ = np.random.default_rng(time.perf_counter_ns()).random((train.n_items, 1), np.float32)


@dataclass
class CannotBeSaved(Popular):
    def fit(self, train, valid, seed):
        super().fit(train, valid, seed)
        self.most_ = train.item_counts.max()


@dataclass
class ForgetsWhenSaved(Popular):
    @classmethod
    def load(cls, folder):
        loaded = super().load(folder)
        loaded.counts_ = loaded.counts_[::-1]
        return loaded


@dataclass
class FailsToFit(Popular):
    def fit(self, train, valid, seed):
        raise ValueError("no fit today")


@dataclass
class BreaksOnWeights(Popular):
    def fit(self, train, valid, seed):
        if train.weight is not None:
            raise ValueError("what is this?")
        super().fit(train, valid, seed)


@dataclass
class FailsOnRealData(Popular):
    """Passes the contract's tiny data and fails afterwards."""

    def fit(self, train, valid, seed):
        if train.n_items != 32:
            raise ValueError("too much\nfor | me")
        super().fit(train, valid, seed)


@dataclass
class DiesOnRealData(Popular):
    def fit(self, train, valid, seed):
        if train.n_items != 32:
            os.kill(os.getpid(), 9)
        super().fit(train, valid, seed)


@dataclass
class SleepsOnRealData(Popular):
    def fit(self, train, valid, seed):
        if train.n_items != 32:
            print("sleeping", flush=True)
            time.sleep(60)
        super().fit(train, valid, seed)


@dataclass
class Incomplete(Retriever):
    def fit(self, train, valid, seed):
        pass


@dataclass
class NeedsAValue(Popular):
    size: int = 0

    def __post_init__(self):
        if self.size < 0:
            raise ValueError("size below 0")


@dataclass
class ByUser(EmbeddingRetriever):
    """A vector a user: the random codes of the items taken, summed; strangers get nothing."""

    stochastic: ClassVar[bool] = False

    def fit(self, train, valid, seed):
        rng = np.random.default_rng(0)
        self.items_ = rng.normal(size=(train.n_items, 16)).astype(np.float32)
        self.users_ = np.zeros((train.n_users, 16), dtype=np.float32)
        np.add.at(self.users_, train.user, self.items_[train.item])

    def encode_items(self):
        return self.items_

    def encode_queries(self, queries):
        return self.user_rows(self.users_, queries.user)


@dataclass
class MeanForStrangers(ByUser):
    def encode_queries(self, queries):
        return self.user_rows(self.users_, queries.user, self.users_.mean(axis=0))


@dataclass
class WithHistory(ByUser):
    """The user's vector on top of the history's."""

    def encode_queries(self, queries):
        return self.of_user(queries.user) + self.of_history(queries.history)

    def of_user(self, user):
        return self.user_rows(self.users_, user)

    def of_history(self, history):
        rows = [self.items_[history[row]].sum(axis=0) for row in range(len(history))]
        return np.array(rows, dtype=np.float32).reshape(len(rows), 16)


@dataclass
class RareUsersAsStrangers(ByUser):
    """One known user in eight gets what strangers get, the last one too."""

    def encode_queries(self, queries):
        rare = (queries.user % 8 == 7) | (queries.user < 0)
        return self.user_rows(self.users_, np.where(rare, -1, queries.user), self.users_.mean(axis=0))


@dataclass
class RandomCodes(MeanForStrangers):
    """Items have codes drawn by the seed, and strangers the mean of what users make of them."""

    stochastic: ClassVar[bool] = True

    def fit(self, train, valid, seed):
        self.items_ = np.random.default_rng(seed).normal(size=(train.n_items, 16)).astype(np.float32)
        self.users_ = np.zeros((train.n_users, 16), dtype=np.float32)
        np.add.at(self.users_, train.user, self.items_[train.item])


@dataclass
class RandomForStrangers(ByUser):
    """Strangers get a row of the table that no interaction ever touched."""

    def fit(self, train, valid, seed):
        super().fit(train, valid, seed)
        self.stranger_ = np.random.default_rng(seed).normal(size=16).astype(np.float32)

    def encode_queries(self, queries):
        return self.user_rows(self.users_, queries.user, self.stranger_)


@dataclass
class RandomForColdUsers(ByUser):
    """The table is drawn, and only the rows of users with interactions are learned."""

    def fit(self, train, valid, seed):
        super().fit(train, valid, seed)
        drawn = np.random.default_rng(seed).normal(size=self.users_.shape).astype(np.float32)
        self.users_[train.user_counts == 0] = drawn[train.user_counts == 0]


@dataclass
class LastRow(ByUser):
    def encode_queries(self, queries):
        return self.users_[queries.user]


@dataclass
class FirstRow(ByUser):
    def encode_queries(self, queries):
        return self.users_[np.maximum(queries.user, 0)]


@dataclass
class RowByModulo(ByUser):
    def encode_queries(self, queries):
        return self.users_[queries.user % len(self.users_)]


@dataclass
class MeanOfOneRow(ByUser):
    def encode_queries(self, queries):
        return self.user_rows(self.users_, queries.user, self.users_[20:21].mean(axis=0))


@dataclass
class LastRowWithHistory(WithHistory):
    def of_user(self, user):
        return self.users_[user]


@dataclass
class LastRowWhereThereIsAHistory(WithHistory):
    """The history decides whether the user's row is looked at."""

    def encode_queries(self, queries):
        known = (queries.history.lengths > 0)[:, None]
        return np.where(known, self.users_[queries.user], self.items_.mean(axis=0)).astype(np.float32)


class NoRetriever:
    """Not derived from anything."""


class NoDataclass(Popular):
    """Derived, and not decorated."""
