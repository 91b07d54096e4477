"""All that can be said of one's own data: a field is an option, a key of a dataset file, and an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from retrieval_leaderboard.datasets.log import ONCE, SUM, TEST, TRAIN, VALID
from retrieval_leaderboard.datasets.own import amounts, values
from retrieval_leaderboard.datasets.own.features import feature_types
from retrieval_leaderboard.datasets.own.values import Parse
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.support.errors import unknown
from retrieval_leaderboard.support.storage.files import expanded

PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}
"""Field of `DataSpec` → the part that its tables are"""


def said(default: Any, parse: Parse, metavar: str, about: str) -> Any:
    """A field of `DataSpec`: how its values are read, and what help says of it.

    A `default` that is a class is called for one.
    """
    made = {"default_factory": default} if isinstance(default, type) else {"default": default}
    return field(**made, metadata={"parse": parse, "metavar": metavar, "help": about})


@dataclass(frozen=True)
class DataSpec:
    """What is said of one's own data."""

    columns: Mapping[str, str] = said(
        dict,
        header.parse,
        "ROLE=NAME,…",
        "columns: user, item, timestamp, rating, event, weight; timestamp= for none",
    )
    """role → name of its column, "" to do without it; others are looked for under `columns.NAMES`"""
    time_format: str = said(
        "", values.text, "FORMAT", "how to read ambiguous times: s, ms, us, ns or a strptime format"
    )
    """A unit ("s", "ms", "us", "ns") or a format of strptime; "" to find it from the values"""
    min_rating: float | None = said(None, values.number, "X", "leave out rows with a lower rating or label")
    """Rows with a lower rating are no interactions"""
    drop_incomplete: bool = said(False, values.flag, "", "leave out rows without a value that is used")
    """Leave out rows that lack a user, an item or another value that is used, instead of refusing them"""
    items: tuple[Any, ...] = said(
        (), values.tables, "PATH", "tables of items: a row for each, with an id and features"
    )
    """As `interactions`: tables of the catalog"""
    users: tuple[Any, ...] = said((), values.tables, "PATH", "the same of users")
    """The same of users"""
    item_features: Mapping[str, str] = said(
        dict,
        feature_types.parse,
        "NAME=TYPE,…",
        f"types of columns of items: {', '.join(feature_types.TYPES)}",
    )
    """column of `items` → its type, one of `feature_types.TYPES`; of others it is found"""
    user_features: Mapping[str, str] = said(dict, feature_types.parse, "NAME=TYPE,…", "the same of users")
    """The same of users"""
    item_vectors: Mapping[str, str] = said(
        dict, values.named_files, "NAME=FILE,…", "vectors of items: .npy with .ids.txt beside it, or a table"
    )
    """name → file with a vector for each item"""
    user_vectors: Mapping[str, str] = said(dict, values.named_files, "NAME=FILE,…", "the same of users")
    """The same of users"""
    interactions: tuple[Any, ...] = said(
        (), values.tables, "PATH", "files, folders or patterns of a log, as --dataset takes them"
    )
    """Paths of files, folders or patterns, or pandas tables, whose rows follow one another"""
    train: tuple[Any, ...] = said((), values.tables, "PATH", "as --interactions, of a log that comes split")
    """As `interactions`, where the log comes split: its training part"""
    valid: tuple[Any, ...] = said(
        (), values.tables, "PATH", "its validation part (default: drawn from train)"
    )
    """Its validation part; without one it is drawn from `train`"""
    test: tuple[Any, ...] = said((), values.tables, "PATH", "its test part")
    """Its test part"""
    name: str = said("", values.text, "NAME", "of the results' folder (default: as the file or folder)")
    """Of the dataset; "" for that of the file or folder"""

    # Events, weights and filters.
    events: Mapping[str, float] = said(
        dict, amounts.weights, "NAME=WEIGHT,…", "kinds of events that are used, and what each weighs"
    )
    """Value of the column of events → what it weighs; rows of other values are left out. {} uses all alike"""
    target: tuple[str, ...] = said(
        (), amounts.names, "EVENT,…", "kinds of events that may be relevant; all others are history alone"
    )
    """Values of the column of events; () for all"""
    repeats: str = said(
        ONCE, amounts.one_of(ONCE, SUM), f"{ONCE}|{SUM}",
        "what repeated pairs of user and item weigh: as the largest (default) or as all of them together",
    )  # fmt: skip
    """`Log.repeats`"""
    weight_cap: float | None = said(
        None, amounts.positive, "X", "the most that a pair of user and item weighs"
    )
    """`Log.weight_cap`"""
    since: str = said("", amounts.moment, "TIME", "leave out interactions before it, such as 2024-01-31")
    """A moment as the data's times are given, or ISO 8601; rounded down to the second"""
    until: str = said("", amounts.moment, "TIME", "leave out interactions from it on")
    """As `since`"""
    dedup_window: float = said(
        0.0, amounts.duration, "TIME", "leave out repeats of user, item and event so soon after, such as 30m"
    )
    """Seconds; 0 leaves all in"""
    min_history: int = said(0, amounts.count, "N", "leave out users with fewer interactions")
    """0 leaves all in"""
    k_core: int = said(
        0, amounts.count, "N", "keep users of N items or more and items of N users or more, repeatedly"
    )
    """0 leaves all in"""

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str = "") -> Self:
        """From the name of each field that is given; `where` they stand begins each message.

        Raises:
            InputError: a name that is no field, or a value that is none of the field's.
        """
        known = {each.name: each for each in fields(cls)}
        for name in given:
            if name not in known:
                raise unknown(f"key in {where}" if where else "option", name, known)
        return cls(
            **{
                name: known[name].metadata["parse"](value, _place(name, where))
                for name, value in given.items()
            }
        )

    @property
    def is_split(self) -> bool:
        """Whether its parts are given."""
        return any(getattr(self, name) for name in PARTS)

    @property
    def tables(self) -> dict[int, tuple[Any, ...]]:
        """`Log.part` → its tables; a log that comes unsplit is `TRAIN`."""
        given = {part: getattr(self, name) for name, part in PARTS.items()}
        return given if self.is_split else given | {TRAIN: self.interactions}

    def within(self, folder: Path) -> Self:
        """With paths that begin in `folder`, where they are relative."""
        places: dict[str, Any] = {
            each.name: tuple(
                path if values.is_frame(path) else str(folder / expanded(path))
                for path in getattr(self, each.name)
            )
            for each in fields(self)
            if each.metadata["parse"] is values.tables
        }
        named: dict[str, Any] = {
            each.name: {name: str(folder / expanded(path)) for name, path in getattr(self, each.name).items()}
            for each in fields(self)
            if each.metadata["parse"] is values.named_files
        }
        return replace(self, **places, **named)

    def given(self) -> dict[str, Any]:
        """Field → value of those that differ from their defaults, as JSON and YAML can hold them."""
        return {
            each.name: _plain(getattr(self, each.name))
            for each in fields(self)
            if getattr(self, each.name) != _default(each)
        }

    def updated(self, given: Mapping[str, Any], where: str = "") -> Self:
        """With what is `given` in place of what it says; as `of`, and its errors."""
        other = self.of(given, where)
        return replace(self, **{name: getattr(other, name) for name in given})


TABLES = ("interactions", "train", "valid", "test")
"""The fields that name a log"""


def option(name: str) -> str:
    """The option of a field."""
    return "--" + name.replace("_", "-")


def _place(name: str, where: str) -> str:
    return f"{where}, {name}" if where else option(name)


def _default(each: Field) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
