"""What all two-tower models share: fitting, and answering from plain tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.lacking import lacking
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.evaluation.models.earlier import Earlier
    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.columns import FeatureRows
    from retrieval_leaderboard.neural.towers.history import QueryBatch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
    from retrieval_leaderboard.neural.training.checkpoint import Checkpoints
    from retrieval_leaderboard.neural.training.warm import Start

Vectors = npt.NDArray[np.float32]
QUERIES_A_BLOCK = 8192
ITEMS_A_BLOCK = 65_536
HISTORY_A_BLOCK = 131_072
"""Items of histories that go through a transformer at once."""


@dataclass
class TwoTower(TowerSettings):
    """A user tower and an item tower trained together; a subclass adds the loss.

    The user is made of the history and, if wanted, an id embedding, profile features and the moment; the
    item of an id embedding and, if wanted, one layer of fixed propagation over the item-item graph (see
    `neural.neighbors`) and features. A query is answered from
    its own history, whoever asks. Where nothing is known of a user (no history, no trained id, no features)
    the query is the mean vector of the training users. Where interactions have weights, a pair's loss counts
    by that of its target, times the user's; histories, negatives and neighbors have none.
    """

    horizon: ClassVar[str] = "epochs"
    passes: ClassVar[str] = "epochs"
    chooses_on_validation: ClassVar[bool] = True
    uses_weights: ClassVar[bool] = True
    distributed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.best_epoch_ = 0
        """The epoch that validation chose; 0 before it has."""
        self.resolved_: dict[str, Any] = {}
        """Every setting as a plain value; of the fit that chose the epochs, where there was one."""
        self.training_log_: list[dict[str, float]] = []
        self.choosing_log_: list[dict[str, float]] = []
        self.trained_numbers_ = 0
        self.propagates_ = False
        self.columns_: dict[str, Any] = {}
        """`TowerColumns` of the towers, as JSON."""
        self.unmixed_: dict[str, Any] = {}
        """`TwoTowerModule.unmixed` of the towers before `folded`, from which a warm start goes on."""
        self.checkpoints: Checkpoints | None = None
        self._towers: TwoTowerModule | None = None

    @abstractmethod
    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """float[p]: the loss of each pair of `batch`.

        Args:
            positive: float[p], score of each pair.
            negative: float[b, m], score of each row with each shared negative.
            batch: the examples, pairs and negatives.
            towers: for parameters that belong to the loss.
        """

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Train; with `valid` up to the epoch of best NDCG@20, without it up to the epoch chosen before.

        Raises:
            RuntimeError: the loss is no longer a number.
            InputError: no user has two interactions, so that there is nothing to learn from.
        """
        if valid is not None or not self.best_epoch_:
            self.resolved_ = self.resolve(train, valid)
        self._train(train, valid, seed)

    def warm_start(self, earlier: Earlier[TwoTower], train: Interactions, seed: int) -> None:
        """Train for all `epochs`, from the weights of then; what is new begins as in `fit`. Raises as it."""
        from retrieval_leaderboard.neural.training.warm import Start

        model = earlier.model
        self.resolved_ = self.resolve(train, None)
        self.best_epoch_, self.choosing_log_ = self.resolved_["epochs"], model.choosing_log_
        self._train(train, None, seed, Start.of(earlier, train))

    @classmethod
    def lacks(cls, kept: Mapping[str, Any], train: Interactions) -> str:
        """Features that the towers saw."""
        return lacking(kept["columns_"], train)

    def _train(
        self, train: Interactions, valid: Queries | None, seed: int, start: Start | None = None
    ) -> None:
        """As `fit`, settings being resolved, from fresh towers or those of `start`."""
        from retrieval_leaderboard.neural.training import fit

        def recommend(towers: TwoTowerModule, queries: Queries, k: int) -> npt.NDArray[np.int32]:
            self.set_towers(towers, train)
            return self.recommend(queries, k)[0]

        settings = self._settings
        task = fit.Task(settings, settings.pair_loss, recommend)
        before = fit.Choice(self.best_epoch_, self.choosing_log_)
        trained = fit.train(task, train, valid, seed, before, self.checkpoints, start)
        self.best_epoch_, self.choosing_log_ = trained.choice
        if trained.towers is not None:
            self.training_log_, self.trained_numbers_ = trained.log, trained.n_parameters
            self.unmixed_ = {name: each.cpu().numpy() for name, each in trained.towers.unmixed().items()}
            self.set_towers(trained.towers, train)
            self._export_weights()

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Recency, with training examples per user; it and history_exponent, where the encoder has no use for
        weights; cold negatives, where no item is cold; features, without any.
        """
        resolved = self.resolve(train, valid)
        causal = resolved["history_encoder"] == "causal"
        idle = {"recency"} if causal or resolved["examples"] == "user" else set()
        idle |= {"history_exponent"} if causal else set()
        idle |= {"cold_negatives"} if train.item_counts.all() else set()
        idle |= set() if auto_settings.described(train) else {"features"}
        return frozenset(idle)

    def keep_checkpoints(self, folder: Path, minutes: float, resume: bool) -> None:
        """Keep the state of training in `folder`; with `resume` go on from the one that is there."""
        from retrieval_leaderboard.neural.training.checkpoint import Checkpoints

        self.checkpoints = Checkpoints(folder, minutes, resume)

    @property
    def _settings(self) -> Self:
        """A model with the resolved settings."""
        return replace(self, **self.resolved_)

    def set_towers(self, towers: TwoTowerModule, train: Interactions) -> None:
        """Answer queries from `towers`."""
        self.propagates_ = towers.neighbors is not None
        self._towers = towers.eval().folded()
        counts = np.maximum(train.item_counts, 1)
        self.cold_scale_ = float(counts.mean() ** -self.resolved_["popularity_exponent"])
        self.item_vectors_: Vectors = np.empty(0, dtype=np.float32)  # The former ones go before others come.
        self.item_vectors_ = self._encode_items(train.n_items)
        self.item_vectors_ *= self.item_scale(train)[:, None]
        users = np.flatnonzero(train.user_counts)[:: max(1, train.n_users // QUERIES_A_BLOCK)]
        self.default_vector_: Vectors = self._encode(train.queries(users))[0].mean(axis=0)

    def item_scale(self, train: Interactions) -> Vectors:
        """float32[n_items]: what the item tower's vectors are multiplied by, as popularity_exponent says."""
        counts, exponent = np.maximum(train.item_counts, 1), self.resolved_["popularity_exponent"]
        return ((counts / counts.mean()) ** exponent).astype(np.float32)

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

    @property
    def parameters(self) -> int:
        """Numbers learned."""
        return self.trained_numbers_

    @property
    def training_log(self) -> list[dict[str, float]]:
        """One dict an epoch: epoch, loss, examples_per_second, seconds; valid_ndcg and valid_seconds where
        it was evaluated.
        """
        return self.training_log_

    @property
    def choosing_log(self) -> list[dict[str, float]]:
        """The same of the last fit that had a validation part."""
        return self.choosing_log_


@dataclass
class TemperatureTwoTower(TwoTower):
    """A two-tower model with a temperature; a subclass adds the loss."""

    temperature: float | Auto = setting(AUTO, above=0, search=[AUTO, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28])
    """τ: scores are divided by it. Auto takes 0.1 · (800,000 / training interactions)^¼, yet 0.1 to 0.2."""

    rules: ClassVar[dict[str, Rule]] = TwoTower.rules | {"temperature": auto_settings.temperature}
