"""What all two-tower models share: fitting."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.tower_vectors import TowerVectors
from retrieval_leaderboard.neural.towers.lacking import lacking

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.evaluation.models.earlier import Earlier
    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
    from retrieval_leaderboard.neural.training.checkpoint import Checkpoints
    from retrieval_leaderboard.neural.training.warm import Start


@dataclass
class TwoTower(TowerVectors):
    """A user tower and an item tower trained together; a subclass adds the loss.

    The user is made of the history and, if wanted, an id embedding, profile features and the moment; the
    item of an id embedding and, if wanted, one layer of fixed propagation over the item-item graph (see
    `neural.towers.neighbors`) and features. Where interactions have weights, a pair's loss counts by that of
    its target, times the user's; histories, negatives and neighbors have none.
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
        self.training_log_: list[dict[str, float]] = []
        self.choosing_log_: list[dict[str, float]] = []
        self.trained_numbers_ = 0
        self.unmixed_: dict[str, Any] = {}
        """`TwoTowerModule.unmixed` of the towers before `folded`, from which a warm start goes on."""
        self.checkpoints: Checkpoints | None = None

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

        With it, a popularity exponent that is "auto" is chosen by the same NDCG.

        Raises:
            RuntimeError: the loss is no longer a number.
            InputError: no user has two interactions, so that there is nothing to learn from.
        """
        if valid is not None or not self.best_epoch_:
            self.settle(train, valid)
        self._train(train, valid, seed)

    def settle(self, train: Interactions, valid: Queries | None) -> None:
        """Resolve the settings for fits of this data; a choice of the popularity exponent is to come."""
        self.resolved_ = self.resolve(train, valid)
        exponent = self.resolved_["popularity_exponent"]
        if exponent == AUTO:
            exponent = auto_settings.usual_popularity_exponent(self.resolved_, train, valid)
        self.exponent_ = exponent

    def warm_start(self, earlier: Earlier[TwoTower], train: Interactions, seed: int) -> None:
        """Train for all `epochs`, from the weights of then; what is new begins as in `fit`. Raises as it."""
        from retrieval_leaderboard.neural.training.warm import Start

        model = earlier.model
        self.settle(train, None)
        self.best_epoch_, self.choosing_log_ = self.resolved_["epochs"], model.choosing_log_
        if self.popularity_exponent == AUTO:
            self.exponent_ = model.exponent_
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

        def recommend(
            towers: TwoTowerModule, queries: Queries, k: int, exponent: float
        ) -> npt.NDArray[np.int32]:
            self.exponent_ = exponent
            self.set_towers(towers, train)
            return self.recommend(queries, k)[0]

        settings = self._settings
        task = fit.Task(settings, settings.pair_loss, recommend)
        before = fit.Choice(self.best_epoch_, self.choosing_log_, self.exponent_)
        trained = fit.train(task, train, valid, seed, before, self.checkpoints, start)
        self.best_epoch_, self.choosing_log_, self.exponent_ = trained.choice
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
        idle |= set() if train.has_features else {"features"}
        return frozenset(idle)

    def keep_checkpoints(self, folder: Path, minutes: float, resume: bool) -> None:
        """Keep the state of training in `folder`; with `resume` go on from the one that is there."""
        from retrieval_leaderboard.neural.training.checkpoint import Checkpoints

        self.checkpoints = Checkpoints(folder, minutes, resume)

    @property
    def parameters(self) -> int:
        """Numbers learned."""
        return self.trained_numbers_

    @property
    def training_log(self) -> list[dict[str, float]]:
        """One dict an epoch: epoch, loss, examples_per_second, seconds; valid_ndcg, popularity_exponent and
        valid_seconds where it was evaluated.
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
