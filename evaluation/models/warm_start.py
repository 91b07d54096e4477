"""What a model says and does to go on from an earlier fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from retrieval_leaderboard.datasets.dataset import Interactions

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.models.earlier import Earlier


class WarmStart:
    """The part of `Retriever` about warm starts: a model has one where its class overrides `warm_start`."""

    name: ClassVar[str]
    passes: ClassVar[str] = ""
    """The setting that counts passes over the data, of which a warm start needs fewer; "" where none does."""

    def warm_start(self, earlier: Earlier[Self], train: Interactions, seed: int) -> None:
        """Learn from `train`, in less time than `fit`, by going on from an earlier fit with these settings.

        Args:
            earlier: a fit of the same class; all its settings are those here, but for `passes`.
            train: as of `fit`; it is what `earlier` learned from, with additions or other changes.
            seed: as of `fit`.
        """
        raise NotImplementedError(f"{self.name} has no warm start")

    @classmethod
    def in_catalog(cls, resolved: Mapping[str, Any], then: int, now: int) -> dict[str, Any]:
        """`resolved` settings of a fit with `then` items in the catalog, as they stand for `now` items."""
        return dict(resolved)

    @classmethod
    def has_warm_start(cls) -> bool:
        """Whether the class has a `warm_start` of its own."""
        return cls.warm_start is not WarmStart.warm_start

    def lacking_warm_start(self) -> str:
        """Why there is no warm start under these settings, as a sentence; "" where there is."""
        return ""

    @classmethod
    def lacks(cls, kept: Mapping[str, Any], train: Interactions) -> str:
        """Why a fitted model cannot go on with `train`, as a sentence; "" where it can.

        Args:
            kept: what was saved of it beside arrays.
            train: as of `warm_start`.
        """
        return ""
