"""The contract every model keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models import fields, saving
from retrieval_leaderboard.evaluation.models.fields import AUTO
from retrieval_leaderboard.evaluation.models.warm_start import WarmStart

Rule = Callable[[Mapping[str, Any], Interactions, Queries | None], Any]
"""What "auto" comes to, by the settings resolved so far, the training part and the validation queries."""


@dataclass
class Retriever(WarmStart, ABC):
    """A model whose dataclass fields are its settings.

    What `fit` learns is kept in attributes that end in an underscore.
    """

    name: ClassVar[str]
    """The name it is registered under."""
    search_space: ClassVar[dict[str, Any]] = {}
    """setting → values worth trying: a list of choices, or (low, high) or (low, high, "log"); where a field
    is not made by `setting`, which says it beside the field."""
    horizon: ClassVar[str] = ""
    """The setting that says how long training lasts, a number; "" where there is none. Searches try several
    lengths of it."""
    chooses_on_validation: ClassVar[bool] = False
    """Whether `fit` with `valid` decides something, such as when to stop, that a second `fit`
    with `valid=None` on more data then keeps."""
    distributed: ClassVar[bool] = False
    """Whether several processes (see `support.ranks`) train one model where each of them calls `fit`."""
    grouped: ClassVar[bool] = False
    """Whether `fit` can do with a `GroupedEngine`, which no part of is given the whole log."""
    rules: ClassVar[dict[str, Rule]] = {}
    """setting → what "auto" comes to; a rule may read what those before it came to."""
    uses_weights: ClassVar[bool] = False
    """Whether `fit` learns more of interactions with a larger `Interactions.weight`; boards mark rows of
    models that do not, where there are weights."""

    saves_memory: ClassVar[str] = "choose a smaller log"
    """What to do where a fit takes more memory than there is."""

    def __post_init__(self) -> None:
        """Refuse values that no setting may have."""
        fields.check(self)

    @classmethod
    def canonical(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings`, all of them, in the one form that runs of the same model are known by."""
        return dict(settings)

    @classmethod
    def unread(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """Settings that nothing reads, whatever the data, beside the other values of `settings`.

        Runs are known by them all the same; a search does not fit what differs in them alone, and a board
        counts such rows once.
        """
        return frozenset()

    def resolve(self, train: Interactions, valid: Queries | None) -> dict[str, Any]:
        """Every setting as a plain value: what is "auto" by its rule, all others as they are.

        What a rule leaves to `fit`, which chooses it on the validation queries, stays "auto".

        Asked of the training part, once, before the first fit. A model with those settings resolves to them.

        Args:
            train: the training part.
            valid: the validation queries, where there are any; rules are given None for a part without some.
        """
        asked = valid if valid is not None and len(valid) else None
        settings = {field.name: getattr(self, field.name) for field in dataclass_fields(self)}
        for name, rule in self.rules.items():
            if settings[name] == AUTO:
                settings[name] = rule(settings, train, asked)
        return self.canonical(settings)

    def resolved(self, train: Interactions, valid: Queries | None) -> Self:
        """A fresh model with the settings that `resolve` gives."""
        return replace(self, **self.resolve(train, valid))

    @abstractmethod
    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Learn from `train`.

        Args:
            train: interactions sorted by user, then time.
            valid: queries to choose on; None when the choice is made and all data is in `train`.
            seed: the source of all randomness; the same seed gives the same model.
        """

    def warm_start_bytes(self, train: Interactions) -> int:
        """As `fit_bytes`, of `warm_start`."""
        return self.fit_bytes(train, None)

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """Bytes that `fit` takes at its peak beside its arguments; 0 where nothing is known before it."""
        return 0

    @abstractmethod
    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The best `k` items for each query.

        Returns:
            items int32[q, k], best first, none of a query's `exclude`, -1 where there is nothing
            to return; and their scores float32[q, k], -inf where the item is -1.
        """

    @staticmethod
    def user_rows(
        table: npt.NDArray[np.float32], users: npt.NDArray[np.int32], unknown: npt.ArrayLike = 0.0
    ) -> npt.NDArray[np.float32]:
        """What a model has learned of each user: rows of `table`, and `unknown` for user -1.

        Plain `table[users]` is NumPy's last row for user -1, and so gives unseen users what one user likes.

        Args:
            table: float32[n_users, d].
            users: int32[q], as in `Queries.user`.
            unknown: float32[d], such as the mean of `table`; zeros unless given, which rank nothing.

        Returns:
            float32[q, d].
        """
        rows = table[np.maximum(users, 0)]
        rows[users < 0] = unknown
        return rows

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """bool[q]: whether the model has learned anything of whom the query is about."""
        return queries.history.lengths > 0

    def lacking(self) -> str:
        """Why nothing can be fitted here under these settings, as a sentence; "" where it can."""
        return ""

    def lacking_data(self, train: Interactions) -> str:
        """What `train` lacks to be fitted to under these settings, in a sentence; "" for nothing."""
        return ""

    @property
    def stochastic(self) -> bool:
        """Whether `fit` depends on its seed, under these settings; a model without chance is run with one."""
        return True

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Settings that change nothing on such data: a search leaves them out, and a board says so."""
        return frozenset()

    @property
    def parameters(self) -> int | None:
        """Numbers learned and kept for answering; None where the model does not report it."""
        return None

    @property
    def reaches_cold_items(self) -> bool:
        """Whether the fitted model knows something of items without training interactions, such as features.

        Where it knows items by their id alone, tables show a dash in place of its metrics on them.
        """
        return False

    @property
    def propagates(self) -> bool:
        """Whether the fitted item vectors carry propagation over a graph of items, which tables mark."""
        return False

    @property
    def training_log(self) -> list[dict[str, float]]:
        """One dict an epoch for models that train in epochs: "epoch", "loss", and what else helps."""
        return []

    @property
    def choosing_log(self) -> list[dict[str, float]]:
        """As `training_log`, of the earlier fit that chose the epochs on the validation part."""
        return []

    def keep_checkpoints(self, folder: Path, minutes: float, resume: bool) -> None:
        """For models that train for long: keep the state in `folder` every so many `minutes`.

        With `resume`, the next fit goes on from the state that is there.
        """

    def check_catalog(self, n_items: int) -> None:
        """Refuse a fitted model that does not score a catalog of `n_items`, before it ranks.

        Raises:
            InvalidListsError: what it scores items by is of another shape.
        """

    def save(self, folder: Path) -> None:
        """Write what `fit` learned, and the settings, into `folder`."""
        saving.save(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The fitted model that `save` wrote into `folder`; InputError where there is none."""
        return saving.load(cls, folder)
