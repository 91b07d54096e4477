"""Raw feature values as codes, by the vocabulary a model was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.support.errors import InputError, unknown

LARGEST = float(np.finfo(np.float32).max)
Raw = Mapping[str, Any]
"""column → value; a list for a multivalued column, a number for a numeric one, None where unknown"""
UnknownValues = dict[str, list[str]]
"""column → values that the training data does not have"""


@dataclass(frozen=True)
class Schema:
    """The feature columns of users, or of items."""

    kind: str
    """"user", "item" or "context", for messages."""
    categorical: list[str]
    multivalued: list[str]
    numeric: list[str]
    vocabulary: dict[str, list[str]]
    """as in `Features`"""

    @cached_property
    def codes(self) -> dict[str, dict[str, int]]:
        """Code of each value of each column."""
        return {
            column: {value: code for code, value in enumerate(names)}
            for column, names in self.vocabulary.items()
        }

    @classmethod
    def of(cls, kind: str, features: Features | None) -> Schema:
        """The columns of a table; no columns where there is no table."""
        features = features or Features()
        columns = list(features.categorical), list(features.multivalued), list(features.numeric)
        return cls(kind, *columns, features.vocabulary)

    def to_json(self) -> dict[str, Any]:
        """What `Schema(**…)` takes."""
        return asdict(self)

    @property
    def columns(self) -> list[str]:
        """Every column."""
        return [*self.categorical, *self.multivalued, *self.numeric]

    def encode(self, rows: Sequence[Raw]) -> tuple[Features, list[UnknownValues]]:
        """Codes of raw values; a value outside the vocabulary is code 0, as an unknown one is.

        Returns:
            the features, a row each; and for each row the values outside the vocabulary.

        Raises:
            InputError: a column that is missing or unknown, a value of a wrong type, a number that
                is not finite in float32.
        """
        for row in rows:
            self._check_columns(row)
        unseen: list[UnknownValues] = [{} for _ in rows]
        categorical = {
            column: np.array(
                [self._code(column, row[column], new) for row, new in zip(rows, unseen, strict=True)],
                dtype=np.int32,
            )
            for column in self.categorical
        }
        multivalued = {
            column: Ragged.from_rows(
                [self._code_list(column, row[column], new) for row, new in zip(rows, unseen, strict=True)]
            )
            for column in self.multivalued
        }
        numeric = {
            column: np.array([self._number(column, row[column]) for row in rows], dtype=np.float32)
            for column in self.numeric
        }
        return Features(categorical, multivalued, self.vocabulary, numeric), unseen

    def _check_columns(self, row: Raw) -> None:
        if not self.columns:
            raise InputError(
                f"the dataset has no {self.kind} features: leave them out, or train on one that has them"
            )
        for column in row:
            if column not in self.columns:
                raise unknown(f"{self.kind} feature", str(column), self.columns)
        missing = [column for column in self.columns if column not in row]
        if missing:
            raise InputError(
                f"the {self.kind} feature '{missing[0]}' is missing: give {', '.join(self.columns)}, "
                "null where a value is not known"
            )

    def _code(self, column: str, value: Any, unseen: UnknownValues) -> int:
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InputError(f"the {self.kind} feature '{column}' must be text or a whole number")
        code = self.codes[column].get(str(value))
        if code is None:
            unseen.setdefault(column, []).append(str(value))
        return code or 0

    def _code_list(self, column: str, values: Any, unseen: UnknownValues) -> list[int]:
        if values is None:
            return []
        if not isinstance(values, list | tuple):
            raise InputError(f"the {self.kind} feature '{column}' must be a list of values")
        return [self._code(column, value, unseen) for value in values]

    def _number(self, column: str, value: Any) -> float:
        if value is None:
            return float("nan")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"the {self.kind} feature '{column}' must be a number")
        if not abs(value) <= LARGEST:
            raise InputError(f"the {self.kind} feature '{column}' must be finite, below 3.4e38")
        return float(value)
