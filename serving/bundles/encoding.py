"""Raw values as features, by the vocabulary a model was trained with."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.features.column import Read, reader
from retrieval_leaderboard.support.errors import InputError, unknown

Raw = Mapping[str, Any]
"""column → value as its kind takes it, None where unknown"""
UnknownValues = dict[str, list[str]]
"""column → values that the training data does not have"""


def as_in_logs(ids: Sequence[str], known: Container[str]) -> list[str]:
    """Ids as a log's reader would have them: as they are where `known`, else without blanks around them."""
    return [each if each in known else each.strip() for each in ids]


@dataclass(frozen=True)
class Schema:
    """The feature columns of users, of items, or of moments."""

    subject: str
    """"user", "item" or "context", for messages."""
    columns: dict[str, dict[str, Any]]
    """as `Features.description`"""

    @cached_property
    def _readers(self) -> dict[str, Read]:
        """What reads the raw values of each column."""
        return {
            name: reader(f"the {self.subject} feature '{name}'", description)
            for name, description in self.columns.items()
        }

    @classmethod
    def of(cls, subject: str, features: Features | None) -> Schema:
        """The columns of a table; no columns where there is no table."""
        return cls(subject, (features or Features()).description())

    def to_json(self) -> dict[str, Any]:
        """What `Schema(**…)` takes."""
        return asdict(self)

    def encode(self, rows: Sequence[Raw]) -> tuple[Features, list[UnknownValues]]:
        """Raw values as features; a value outside the vocabulary counts as unknown.

        Returns:
            the features, a row each; and for each row the values outside the vocabulary.

        Raises:
            InputError: a column that is missing or unknown, or a value that its kind does not take.
        """
        for row in rows:
            self._check_columns(row)
        columns, unseen = {}, [UnknownValues() for _ in rows]
        for name, read in self._readers.items():
            columns[name], new = read([row[name] for row in rows])
            for found, values in zip(unseen, new, strict=True):
                if values:
                    found[name] = values
        return Features(columns), unseen

    def _check_columns(self, row: Raw) -> None:
        if not self.columns:
            raise InputError(
                f"the dataset has no {self.subject} features: leave them out, or train on one that has them"
            )
        for column in row:
            if column not in self.columns:
                raise unknown(f"{self.subject} feature", str(column), self.columns)
        missing = [column for column in self.columns if column not in row]
        if missing:
            raise InputError(
                f"the {self.subject} feature '{missing[0]}' is missing: give {', '.join(self.columns)}, "
                "null where a value is not known"
            )
