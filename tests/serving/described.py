"""A model that takes new items and needs no training: also for services in processes of their own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from retrieval_leaderboard.evaluation import EmbeddingRetriever

COLORS, TAGS = 6, 9


@dataclass
class Described(EmbeddingRetriever):
    """A fixed random vector for every feature value, summed; a user is the mean of the history."""

    name: ClassVar[str] = "described"

    dimension: int = 16
    seed: int = 0

    def fit(self, train, valid, seed):
        rng = np.random.default_rng(self.seed)
        self.color_, self.tag_, self.segment_ = (
            rng.normal(size=(size, self.dimension)).astype(np.float32) for size in (COLORS + 1, TAGS + 1, 4)
        )
        self.item_ = self.encode_new_items(train.item_features)

    def encode_new_items(self, features):
        price = np.log1p(np.nan_to_num(features["price"].numbers))[:, None] / 20
        tags = [self.tag_[row].sum(axis=0) for row in map(features["tags"].codes.__getitem__,
                                                          range(len(price)))]  # fmt: skip
        return (self.color_[features["color"].codes] + np.array(tags) + price).astype(np.float32)

    def encode_items(self):
        return self.item_

    def encode_queries(self, queries):
        rows = [self.item_[queries.history[row]].sum(axis=0) for row in range(len(queries))]
        vectors = np.array(rows, dtype=np.float32).reshape(len(queries), self.dimension)
        if queries.user_features is not None:
            vectors += self.segment_[queries.user_features["segment"].codes]
        vectors[~vectors.any(axis=1)] = 1
        return vectors

    def knows(self, queries):
        return (queries.history.lengths > 0) | (queries.user_features is not None)
