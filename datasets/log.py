"""A source as read: every interaction, before any split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datasets.dataset import Features


@dataclass(frozen=True)
class Log:
    """Interactions of one source with codes for ids, in the order of the source."""

    name: str
    """Of the dataset; names the folder of its results."""
    user: npt.NDArray[np.int32]
    """int32[n]"""
    item: npt.NDArray[np.int32]
    """int32[n]"""
    user_ids: npt.NDArray[np.object_]
    """object[n_users]: raw id (str) of each user code"""
    item_ids: npt.NDArray[np.object_]
    """object[n_items]: raw id (str) of each item code"""
    timestamp: npt.NDArray[np.int64] | None = None
    """int64[n], unix seconds"""
    rating: npt.NDArray[np.float32] | None = None
    """float32[n], on the source's own scale"""
    ordered: bool = True
    """Whether rows of equal or missing time stand in the order in which they happened."""
    held_out: npt.NDArray[np.bool_] | None = None
    """bool[n]: the rows of the source's own test file"""
    periods: tuple[int, int] | None = None
    """Unix seconds at which the validation and the test period begin, where the source fixes them"""
    user_features: Features | None = None
    item_features: Features | None = None
    context: Features | None = None
    """row i tells where interaction i happened"""
    title: str = ""
    """How tables call it, where that says more than the name: "aliec-sim, synthetic, scale 0.1" """
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    """What a reader of its table should know about the source as read."""
