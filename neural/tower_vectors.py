"""What trained towers answer, from plain tables: vectors of items and of queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from retrieval_leaderboard.neural.towers.columns import FeatureRows
    from retrieval_leaderboard.neural.towers.history import QueryBatch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule

Vectors = npt.NDArray[np.float32]
QUERIES_A_BLOCK = 8192
ITEMS_A_BLOCK = 65_536
HISTORY_A_BLOCK = 131_072
"""Items of histories that go through a transformer at once."""


@dataclass
class TowerVectors(TowerSettings):
    """The half of a two-tower model that answers; the other half, which trains, calls `set_towers`.

    A query is answered from its own history, whoever asks. Where nothing is known of a user (no history, no
    trained id, no features) the query is the mean vector of the training users.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.resolved_: dict[str, Any] = {}
        """As `resolve` gave them to the fit that chose the epochs, where there was one."""
        self.exponent_ = 0.0
        """The popularity exponent in force."""
        self.propagates_ = False
        self.columns_: dict[str, Any] = {}
        """`TowerColumns` of the towers, as JSON."""
        self._towers: TwoTowerModule | None = None

    @property
    def _settings(self) -> Self:
        """A model with the resolved settings."""
        return replace(self, **self.resolved_)

    def set_towers(self, towers: TwoTowerModule, train: Interactions) -> None:
        """Answer queries from `towers`."""
        self.propagates_ = towers.neighbors is not None
        self._towers = towers.eval().folded()
        counts = np.maximum(train.item_counts, 1)
        self.cold_scale_ = float(counts.mean() ** -self.exponent_)
        self.item_vectors_: Vectors = np.empty(0, dtype=np.float32)  # The former ones go before others come.
        self.item_vectors_ = self._encode_items(train.n_items)
        self.item_vectors_ *= self.item_scale(train)[:, None]
        users = np.flatnonzero(train.user_counts)
        some = users[:: max(1, len(users) // QUERIES_A_BLOCK)]
        self.default_vector_: Vectors = self._encode(train.queries(some))[0].mean(axis=0)

    def item_scale(self, train: Interactions) -> Vectors:
        """float32[n_items]: what the item tower's vectors are multiplied by, as popularity_exponent says."""
        counts = np.maximum(train.item_counts, 1)
        return ((counts / counts.mean()) ** self.exponent_).astype(np.float32)

    def _export_weights(self) -> None:
        """Keep what is needed to build the towers again from a saved model."""
        self.columns_ = asdict(self.towers.columns)
        self.weights_ = {name: each.cpu().numpy() for name, each in self.towers.state_dict().items()}

    @property
    def towers(self) -> TwoTowerModule:
        """The trained towers, on the device of this process."""
        if self._towers is None:
            import torch

            from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
            from retrieval_leaderboard.neural.towers.vocabulary import TowerColumns

            state = {name: torch.from_numpy(each) for name, each in self.weights_.items()}
            try:
                towers = TwoTowerModule.restore(self._settings, TowerColumns.from_json(self.columns_), state)
            except (KeyError, TypeError, RuntimeError) as error:  # RuntimeError: weights of other layers.
                raise InputError(
                    f"this {self.name} was saved by another version of the suite: train it again"
                ) from error
            self._towers = towers.to(compute.current().device)
        return self._towers

    def encode_items(self) -> Vectors:
        """float32[n_items, embedding_dim]; for cosine of length 1 where popularity_exponent is 0."""
        return self.item_vectors_

    def encode_queries(self, queries: Queries) -> Vectors:
        """float32[q, embedding_dim]; of length 1 for cosine, but where nothing is known of the user."""
        return self.encode_known(queries)[0]

    def encode_known(self, queries: Queries) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """`encode_queries` and `knows`, in one pass."""
        blocks = [slice(at, at + QUERIES_A_BLOCK) for at in range(0, len(queries), QUERIES_A_BLOCK)]
        vectors = np.empty((len(queries), self.embedding_dim), dtype=np.float32)
        known = np.empty(len(queries), dtype=np.bool_)
        for block in blocks:
            found, known[block] = self._encode(queries.take(block))
            vectors[block] = np.where(known[block][:, None], found, self.default_vector_)
        return vectors, known

    def online(self) -> Callable[[Queries], tuple[Vectors, npt.NDArray[np.bool_]]]:
        """`encode_known` in NumPy, where the towers allow it; users with features of their own by PyTorch."""
        from retrieval_leaderboard.neural.towers.online import OnlineUsers

        if not OnlineUsers.fits(self.towers):
            return self.encode_known
        users = OnlineUsers(self.towers)

        def encode(queries: Queries) -> tuple[Vectors, npt.NDArray[np.bool_]]:
            if queries.user_features is not None:
                return self.encode_known(queries)
            vectors, known = users(queries.user, self._counting(queries.history))
            vectors[~known] = self.default_vector_
            return vectors, known

        return encode

    def _counting(self, history: Ragged) -> Ragged:
        """What counts of histories."""
        return history if self.resolved_["examples"] == "user" else history.last(self.max_history)

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """bool[q]: whether a trained id, a feature or a history item says anything of the query's user."""
        return self.towers.is_known(*self._asked(queries)).cpu().numpy()

    def encode_new_items(self, features: Features) -> Vectors:
        """float32[n, embedding_dim]: vectors of items known by their features alone.

        Raises:
            InputError: the model was trained without features, or a column is missing.
        """
        import torch

        columns = self.towers.columns.item
        if columns is None:
            raise InputError(
                f"this {self.name} was trained without item features and cannot place a new item; "
                f"train it with --set {self.name}.features=true on data with item features"
            )
        with torch.inference_mode():
            rows = columns.rows(features).to(self.towers.item_known.device)
            return self.towers.new_items(rows).float().cpu().numpy() * np.float32(self.cold_scale_)

    def _encode_items(self, n_items: int) -> Vectors:
        import torch

        device = self.towers.item_known.device
        block = ITEMS_A_BLOCK // (1 + self.towers.widest_vector // self.embedding_dim)
        vectors = np.empty((n_items, self.embedding_dim), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, n_items, block):
                items = torch.arange(start, min(start + block, n_items), device=device)
                vectors[start : start + len(items)] = self.towers.items(items).float().cpu().numpy()
        return vectors

    def _encode(self, queries: Queries) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """float32[q, d]: the queries' vectors; bool[q]: whether anything is known of the user."""
        causal = self.resolved_["history_encoder"] == "causal"
        block = max(1, HISTORY_A_BLOCK // self.max_history if causal else len(queries))
        starts = range(0, max(1, len(queries)), block)
        parts = [self._encode_at_once(queries.take(slice(start, start + block))) for start in starts]
        vectors, known = zip(*parts, strict=True)
        return np.concatenate(vectors), np.concatenate(known)

    def _encode_at_once(self, queries: Queries) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """As `_encode`, in one piece."""
        import torch

        asked = self._asked(queries)
        with torch.no_grad():
            vectors, known = self.towers.users(*asked), self.towers.is_known(*asked)
        return vectors.float().cpu().numpy(), known.cpu().numpy()

    def _asked(self, queries: Queries) -> tuple[QueryBatch, FeatureRows | None]:
        """The queries as the towers take them, and the profiles that come with them."""
        from retrieval_leaderboard.neural.towers.asked import asked

        return asked(self.towers, queries, self._counting(queries.history))

    @property
    def reaches_cold_items(self) -> bool:
        """Whether items without training interactions have vectors of their own."""
        return bool(self.columns_.get("item"))

    @property
    def propagates(self) -> bool:
        """Whether items have taken in the embeddings of their neighbors."""
        return self.propagates_
