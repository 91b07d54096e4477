"""How different the items of one list are from each other, by their categories."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.registry import list_level

COLUMNS = ("cate_id", "category", "categories", "genres")
"""Names of item features that hold categories, the first that there is counts"""


@list_level("diversity", "category diversity")
def diversity(items: npt.NDArray[np.int32], train: Interactions) -> float:
    """Mean over lists of the mean Jaccard distance of the categories of two items (Zhang & Hurley 2008).

    With one category an item, that is the share of pairs of different categories. Items without a category
    are passed over, and so are lists without a pair. NaN where the data has no categories.
    """
    categories = _categories(train.item_features or Features())
    if categories is None:
        return np.nan
    from retrieval_leaderboard.evaluation.metrics.jaccard import mean_distances

    found = mean_distances(items, *categories.compact())
    return float(np.nanmean(found)) if not np.isnan(found).all() else np.nan


def _categories(features: Features) -> Ragged | None:
    """n_items rows of distinct codes in ascending order, without 0, "unknown"; None without categories."""
    column = next((features[name] for name in COLUMNS if name in features.columns), None)
    if isinstance(column, Categorical):
        codes = Ragged.from_offsets(column.codes, np.arange(len(column) + 1))
    elif isinstance(column, Multivalued):
        codes = column.codes
    else:
        return None
    values, offsets = codes.compact()
    order = np.lexsort((values, np.repeat(np.arange(len(codes)), np.diff(offsets))))
    known = np.ones(int(values.max(initial=0)) + 1, dtype=np.bool_)
    known[0] = False
    return Ragged.from_offsets(values[order], offsets).distinct().only(known)
