"""What all two-tower models share: settings, fitting, and answering from plain tables."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from datasets.dataset import Interactions, Queries
from datasets.ragged import Ragged
from evaluation.retriever import EmbeddingRetriever
from support.errors import InputError, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from neural.batches import Batch
    from neural.towers import TwoTowers

Table = npt.NDArray[np.float32]
QUERIES_A_BLOCK = 8192
SIMILARITIES = ("cosine", "dot")
ROWS = ("auto", "user", "position")


@dataclass
class TwoTower(EmbeddingRetriever):
    """A user tower and an item tower trained together; a subclass adds the loss.

    The user is the weighted mean of the history's vectors, and optionally an id embedding and
    features; the item is an id embedding and optionally features. A query is answered from its
    own history, whoever asks. Where nothing is known of a user (no history, no trained id, no
    features) the query is the mean vector of the training users.
    """

    chooses_on_validation: ClassVar[bool] = True
    search_space: ClassVar[dict[str, Any]] = {
        "learning_rate": (0.003, 0.1, "log"),
        "weight_decay": [0.0, 0.001, 0.01, 0.1],
        "history_exponent": (0.0, 1.0),
        "user_exponent": (0.0, 1.0),
        "user_share": [0.0, 0.2, 0.5, 0.8],
        "shared_history": [False, True],
        "input_share": (0.3, 0.8),
        "recency": (0.0, 2.0),
        "batch_rows": [256, 512, 1024],
    }

    embedding_dim: int = 64
    """Length of the vectors."""
    similarity: str = "cosine"
    """"cosine" or "dot"."""
    user_share: float = 0.0
    """Weight γ of the user's id embedding, the history's being 1 - γ; 0 leaves the id out."""
    shared_history: bool = False
    """Make histories of the items' id embeddings instead of a table of their own."""
    project: bool = False
    """Pass the mean of the history through a learned matrix."""
    history_exponent: float = 0.5
    """An item taken by n users weighs n^-exponent in the mean of a history."""
    features: bool = False
    """Add embeddings of the user and item features, where the data has them."""
    rows: str = "auto"
    """What a training row is: "user", whose items are split at random into history and targets at
    every visit; "position", an interaction with the items before it as history; "auto", position
    where the data is in time order and each validation query has one relevant item."""
    input_share: float = 0.5
    """Share of a user's items that become history, for rows of users."""
    max_history: int = 50
    """Newest items that make the history, for rows of positions."""
    recency: float = 1.0
    """The r-th history item from the end weighs r^-recency, for rows of positions."""
    user_exponent: float = 0.5
    """A pair of a user with n items weighs n^-exponent in the loss."""
    negatives: int = 2048
    """Negatives drawn for each batch and shared by its rows."""
    negative_exponent: float = 0.0
    """They are drawn with probability ∝ popularity^exponent; 0 is uniform."""
    in_batch: bool = False
    """Use the targets of the batch's other rows as negatives too."""
    batch_rows: int = 512
    """Rows a step."""
    learning_rate: float = 0.02
    """Highest learning rate of AdamW; it warms up, then falls by a cosine to 0 at `epochs`."""
    weight_decay: float = 0.0
    """Decoupled weight decay, on the rows a step touches."""
    clip_norm: float = 10.0
    """Largest norm of all gradients of a step together."""
    init_scale: float = 0.1
    """Standard deviation of fresh embeddings."""
    epochs: int = 0
    """Passes over the rows in which the learning rate falls to 0; validation may stop earlier.
    0 takes as many as come to 1,500 steps, but from 2 to 30."""
    patience: int = 4
    """Stop after this many evaluations without a better validation NDCG@20."""

    def __post_init__(self) -> None:
        for setting, choices in (("similarity", SIMILARITIES), ("rows", ROWS)):
            if getattr(self, setting) not in choices:
                raise unknown(f"{self.name}.{setting}", getattr(self, setting), choices)
        if self.negatives < 1 and not self.in_batch:
            raise InputError(f"{self.name}: negatives is {self.negatives}: give 1 or more, or set in_batch")
        self.best_epoch_ = 0
        """The epoch that validation chose; 0 before it has."""
        self.rows_ = "user" if self.rows == "auto" else self.rows
        self.training_log_: list[dict[str, float]] = []
        self.trained_numbers_ = 0

    @abstractmethod
    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowers) -> Tensor:
        """float[p]: the loss of each pair of `batch`.

        Args:
            positive: float[p], score of each pair.
            negative: float[b, m], score of each row with each shared negative.
            batch: the rows, pairs and negatives.
            towers: for parameters that belong to the loss.
        """

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Train; with `valid` up to the epoch of best NDCG@20, without it up to the epoch chosen before.

        Raises:
            RuntimeError: the loss is no longer a number.
            InputError: no user has two interactions, so that there is nothing to learn from.
        """
        from neural import training

        if self.rows == "auto" and valid is not None:
            next_item = train.ordered and bool((valid.relevant.lengths == 1).all())
            self.rows_ = "position" if next_item else "user"
        training.fit(self, train, valid, seed)

    def adopt(self, tables: dict[str, Tensor], train: Interactions) -> None:
        """Answer queries from `tables`, as `TwoTowers.export` gives them."""
        none = np.empty((0, self.embedding_dim), dtype=np.float32)
        arrays = {name: table.numpy() for name, table in tables.items()}
        self.item_vectors_: Table = arrays["item"]
        self.user_vectors_: Table = arrays.get("user", none)
        self.history_vectors_: Table = arrays.get("history", none)
        self.newest_vectors_: Table = arrays.get("newest", none)
        self.item_weight_: Table = self.item_weights(train)
        users = np.flatnonzero(train.user_counts)[:: max(1, train.n_users // QUERIES_A_BLOCK)]
        vectors = self._encode(users, train.by_user.take(users))
        self.default_vector_: Table = vectors.mean(axis=0)

    def item_weights(self, train: Interactions) -> Table:
        """float32[n_items]: the weight of each item in the mean of a history, but for recency."""
        return (np.maximum(train.item_counts, 1) ** -self.history_exponent).astype(np.float32)

    def encode_items(self) -> Table:
        """float32[n_items, embedding_dim]; of length 1 for cosine."""
        return self.item_vectors_

    def encode_queries(self, queries: Queries) -> Table:
        """float32[q, embedding_dim]; of length 1 for cosine."""
        blocks = range(0, len(queries), QUERIES_A_BLOCK)
        vectors = np.empty((len(queries), self.embedding_dim), dtype=np.float32)
        for block in (slice(at, at + QUERIES_A_BLOCK) for at in blocks):
            vectors[block] = self._encode(queries.user[block], queries.history.take(block))
        vectors[~vectors.any(axis=1)] = self.default_vector_
        return vectors

    def _encode(self, user: npt.NDArray, history: Ragged) -> Table:
        """float32[q, d]: the users' vectors; zero where nothing is known."""
        import torch

        from neural.history import Moments, weighted_sum, weights

        history = history.last(self.max_history) if self.rows_ == "position" else history
        user_codes, start, stop, items = map(
            torch.as_tensor, (user.astype(np.int64), history.start, history.stop, history.values)
        )
        moments = Moments.of(user_codes, items, start, stop)
        vector = torch.zeros(len(user), self.embedding_dim)
        if len(self.history_vectors_):
            recency = self.recency if self.rows_ == "position" else 0.0
            weight = weights(moments, torch.as_tensor(self.item_weight_), recency)
            vector = weighted_sum(torch.as_tensor(self.history_vectors_), moments.history, weight, moments)
        if len(self.newest_vectors_):
            newest = torch.as_tensor(self.newest_vectors_)[moments.newest().long()]
            vector += newest * moments.has_history.unsqueeze(1)
        if len(self.user_vectors_):
            vector += torch.as_tensor(self.user_vectors_)[user_codes] * (user_codes >= 0).unsqueeze(1)
        if self.similarity == "cosine":
            vector = torch.nn.functional.normalize(vector, dim=1)
        return vector.numpy()

    @property
    def parameters(self) -> int:
        """Numbers learned."""
        return self.trained_numbers_

    @property
    def training_log(self) -> list[dict[str, float]]:
        """One dict an epoch: epoch, loss, examples_per_second, seconds, and valid_ndcg where measured."""
        return self.training_log_
