"""Lists of raw ids made elsewhere, in whatever Python holds them, as item codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.support.errors import InputError, shortened

RawId = str | int | float
Given = Mapping[Any, Iterable[RawId]] | Iterable[Iterable[RawId]]
LARGEST_FLOAT = 2**53
"""Above it a float stands for several whole numbers."""
WANTED = "give a mapping from user to list, or one list a test query"
NO_LISTS = (str, bytes, Mapping, set, frozenset)


def coded(given: Given, dataset: Dataset, k: int) -> npt.NDArray[np.int32]:
    """int32[q, k]: the first `k` of each list, -1 for an id that the catalog lacks and for an empty position.

    Raises:
        InputError: lists that do not fit the queries, something in them that is no id, a user whom the
            dataset lacks, or no id at all that the catalog has.
    """
    code_of = {raw: code for code, raw in enumerate(map(str, dataset.item_ids))}
    items = np.full((len(dataset.test), k), -1, dtype=np.int32)
    unknown: str | None = None
    for query, (whose, row) in enumerate(_rows(given, dataset)):
        for position, raw in enumerate(_first(row, k, whose)):
            text = _text(raw, f"{whose}, position {position + 1}")
            items[query, position] = code_of.get(text, -1)
            if unknown is None and text not in code_of:
                unknown = text
    if unknown is not None and not (items >= 0).any():
        raise InputError(
            f"none of the given ids is in the catalog of {dataset.name}: one is '{unknown}', where the "
            f"catalog has '{dataset.item_ids[0]}'; give raw item ids, as in its files"
        )
    return items


def _rows(given: Given, dataset: Dataset) -> Iterator[tuple[str, Any]]:
    """Whose list it is and the list, for every test query."""
    if isinstance(given, Mapping):
        return _by_user(given, dataset)
    if isinstance(given, NO_LISTS) or not isinstance(given, Iterable) or hasattr(given, "columns"):
        raise InputError(f"lists were given as {type(given).__name__}; {WANTED}")
    if hasattr(given, "index") and not isinstance(given, Sequence):
        raise InputError(
            "lists were given as a Series; give its to_dict() if its index holds users, else its tolist()"
        )
    queries = len(dataset.test)
    rows = list(islice(given, queries + 1))
    if len(rows) != queries:
        number = len(given) if isinstance(given, Sequence | np.ndarray) else len(rows)
        raise InputError(f"{number} lists were given for {queries} test queries; give one a query")
    return ((f"query {query}", row) for query, row in enumerate(rows))


def _by_user(given: Mapping[Any, Iterable[RawId]], dataset: Dataset) -> Iterator[tuple[str, Any]]:
    users = dataset.test.user
    if len(np.unique(users)) != len(users):
        raise InputError("a user has several test queries here; give one list a query, in their order")
    texts = [_text(user, "a user's id") for user in given]
    by_user = dict(zip(texts, given.values(), strict=True))
    if len(by_user) != len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise InputError(f"two lists were given for user '{twice}'; give one")
    unknown_users = sorted(by_user.keys() - set(map(str, dataset.user_ids)))
    if unknown_users:
        raise InputError(
            f"lists were given for {len(unknown_users)} users that {dataset.name} lacks, such as "
            f"'{unknown_users[0]}'; give raw user ids, as in its files"
        )
    named = [str(user) for user in dataset.user_ids[users]]
    return ((f"user '{user}'", by_user.get(user, ())) for user in named)


def _first(row: Any, k: int, whose: str) -> list[Any]:
    if isinstance(row, NO_LISTS) or not isinstance(row, Iterable):
        raise InputError(f"{whose}: the list is {_shown(row)}; give a list of raw item ids, [] for none")
    return list(islice(row, k))


def _text(raw: Any, where: str) -> str:
    """An id as the dataset's files would write it: whole numbers without a fraction."""
    if isinstance(raw, str):
        return str(raw)
    if isinstance(raw, int | np.integer) and not isinstance(raw, bool):
        return str(int(raw))
    if isinstance(raw, float | np.floating):
        number = float(raw)
        if number.is_integer() and abs(number) <= LARGEST_FLOAT:
            return str(int(number))
    raise InputError(f"{where}: {_shown(raw)} is no raw id; give ids alone, as text or whole numbers")


def _shown(value: Any) -> str:
    """A few words of a value, in one line."""
    return shortened(" ".join(repr(value).split()))
