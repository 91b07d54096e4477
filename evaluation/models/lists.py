"""What a list of recommendations must be, whoever made it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries


class InvalidListsError(ValueError):
    """A model returned something that cannot be scored; the message says what, for which query."""


def check_rows(what: str, shape: tuple[int, ...], n_items: int, *columns: int) -> None:
    """Refuse an array of items, and of `columns` where they are known, that is of another shape.

    Raises:
        InvalidListsError: naming both shapes.
    """
    if len(shape) != 2 or shape[0] != n_items or (columns and shape[1:] != columns):
        wanted = ", ".join(map(str, (n_items, *(columns or ("d",)))))
        raise InvalidListsError(f"{what} has the shape [{', '.join(map(str, shape))}], not [{wanted}]")


def check(
    items: npt.NDArray[np.int32], scores: npt.NDArray[np.float32], queries: Queries, k: int, n_items: int
) -> None:
    """Refuse lists that break the contract of `Retriever.recommend`.

    Raises:
        InvalidListsError: wrong shape or type, an item outside the catalog, a repeated or an
            excluded item, a score that is NaN or infinite or larger than the one before it, or
            an empty position before a filled one.
    """
    check_shape(items, (len(queries), k), n_items)
    _check_array("scores", scores, np.float32, (len(queries), k))
    empty = items < 0
    _refuse(
        empty[:, :-1] & ~empty[:, 1:],
        "an empty position (-1) before a filled one",
        "items, then -1 to the end",
        items,
    )
    _refuse(
        ~empty & ~np.isfinite(scores), "a score that is NaN or infinite", "a number for each item", scores
    )
    falling = np.where(empty, -np.inf, scores)
    _refuse(
        falling[:, 1:] > falling[:, :-1], "items that are not best first", "scores that do not rise", scores
    )
    check_items(items, queries)


def check_shape(items: npt.NDArray[np.int32], shape: tuple[int, int], n_items: int) -> None:
    """Refuse lists of another shape or type, or with an item outside the catalog.

    Raises:
        InvalidListsError: as `check`.
    """
    _check_array("items", items, np.int32, shape)
    _refuse(
        (items < -1) | (items >= n_items), "an item outside the catalog", f"0 to {n_items - 1}, or -1", items
    )


def check_items(items: npt.NDArray[np.int32], queries: Queries) -> None:
    """Refuse a repeated or an excluded item in int32[q, k] lists.

    Raises:
        InvalidListsError: as `check`.
    """
    _refuse(_repeated(items), "a repeated item", "each item once", items)
    _refuse(queries.exclude.contains(items), "an excluded item", "none of the query's `exclude`", items)


def _check_array(label: str, array: npt.NDArray, dtype: npt.DTypeLike, shape: tuple[int, int]) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InvalidListsError(
            f"recommend returned {label} as {got}; it must be {np.dtype(dtype)}{list(shape)}"
        )


def _repeated(items: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """bool[q, k]: in sorted order, whether a position holds the same item as the one before it."""
    ordered = np.sort(items, axis=1)
    same = np.zeros(items.shape, dtype=np.bool_)
    same[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    return same


def _refuse(wrong: npt.NDArray[np.bool_], what: str, wanted: str, shown: npt.NDArray) -> None:
    if wrong.any():
        query = int(np.argwhere(wrong)[0, 0])
        start = ", ".join(str(value) for value in shown[query, :5])
        raise InvalidListsError(
            f"the lists hold {what}: {int(wrong.any(axis=1).sum())} of {len(wrong)} queries, "
            f"first query {query} whose list begins {start}; wanted: {wanted}"
        )
