"""Raw item ids and their labels, as items come and go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.bundles.columns import Filter, ItemColumns, Values
from retrieval_leaderboard.serving.bundles.encoding import Raw, as_in_logs
from retrieval_leaderboard.serving.bundles.tables import Changes
from retrieval_leaderboard.support.errors import InputError


class Catalog:
    """The items a recommender may return.

    Label i below `trained` is item code i of the model; added items take the labels from there on,
    and no label is used twice, so that an item removed and added again has a new one.
    """

    def __init__(self, item_ids: list[str], changes: Changes, columns: ItemColumns) -> None:
        self.trained = len(item_ids)
        self._raw = [*item_ids, *changes.item_ids]
        self._code = {raw: code for code, raw in enumerate(item_ids)}
        self._vectors = list(changes.vectors)
        self._values = list(changes.values)
        self._columns = columns
        columns.extend(changes.values)
        self._removed = changes.removed.tolist()
        removed = set(self._removed)
        self._label = {raw: label for label, raw in enumerate(self._raw) if label not in removed}

    def __len__(self) -> int:
        return len(self._label)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._label

    def raws(self, labels: Iterable[int]) -> list[str]:
        """The raw ids of labels."""
        return [self._raw[label] for label in labels]

    def label(self, item_id: str) -> int:
        """The label of an item; InputError where it is not in the catalog."""
        return self._label[self.named(item_id)]

    def named(self, item_id: str) -> str:
        """The id of an item as the catalog has it; InputError where it is not there."""
        (found,) = as_in_logs([item_id], self._label)
        if found not in self._label:
            raise InputError(f"the item '{item_id}' is not in the catalog of {len(self):,} items")
        return found

    def check_lacks(self, item_id: str) -> None:
        """InputError where an item is in the catalog."""
        if item_id in self._label:
            raise InputError(f"the item '{item_id}' is in the catalog already: remove it first")

    def codes(self, item_ids: Sequence[str]) -> tuple[npt.NDArray[np.int32], list[str]]:
        """The model's codes of a history, and the items it was not trained with.

        A trained item keeps its code when it is removed from the catalog.
        """
        items = as_in_logs(item_ids, self._code)
        known = [self._code[item] for item in items if item in self._code]
        return np.array(known, dtype=np.int32), [item for item in items if item not in self._code]

    def labels(self, item_ids: Sequence[str]) -> npt.NDArray[np.int32]:
        """The labels of those items that are in the catalog, none twice."""
        found = {self._label[item] for item in as_in_logs(item_ids, self._label) if item in self._label}
        return np.array(sorted(found), dtype=np.int32)

    def kept(self, wanted: Filter) -> npt.NDArray[np.bool_]:
        """bool[labels]: the items in the catalog that a filter keeps; InputError as `ItemColumns.keep`."""
        found = self._columns.keep(wanted, len(self._raw))
        found[self._removed] = False
        return found

    def values(self, features: Raw) -> Values:
        """What is kept of a new item's valid features, to filter by."""
        return self._columns.values(features)

    def vector(self, item_id: str, trained: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """float32[d]: an item's exact vector; `trained` holds those of the trained items."""
        label = self.label(item_id)
        return trained[label] if label < self.trained else self._vectors[label - self.trained]

    def add(self, item_id: str, vector: npt.NDArray[np.float32], values: Values) -> int:
        """Enter an item that is not in the catalog; its label."""
        label = len(self._raw)
        self._raw.append(item_id)
        self._vectors.append(vector)
        self._values.append(values)
        self._columns.extend([values])
        self._label[item_id] = label
        return label

    def remove(self, item_id: str) -> int:
        """Strike an item off; the label it had. InputError where it is not in the catalog."""
        label = self._label.pop(self.named(item_id))
        self._removed.append(label)
        return label

    def changes(self, dimension: int) -> Changes:
        """All changes since the index was built."""
        vectors = np.array(self._vectors, dtype=np.float32).reshape(len(self._vectors), dimension)
        removed = np.array(self._removed, dtype=np.int64)
        return Changes(self._raw[self.trained :], vectors, removed, self._values)
