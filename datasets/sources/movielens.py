"""MovieLens 1M and 100K with what they tell of users and movies (https://grouplens.org/datasets/movielens)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import holds_here
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.datasets.tables import delimited
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FILES_1M = ("ratings.dat", "users.dat", "movies.dat")
FILES_100K = ("u.data", "u.user", "u.item", "u.genre")

MOVIE_COLUMNS = ("item", "title", "released", "video", "url")
"""Of `u.item`, before the genres"""
AGES = (18, 25, 35, 45, 50, 56)
"""Where the age groups of ml-1m begin, after "under 18"; ml-100k's ages are put into the same."""


def load_1m(folder: Path) -> Log:
    """MovieLens 1M from `ratings.dat`, `users.dat` and `movies.dat`.

    Raises:
        InputError: a file that is not in the official format (file and line).
    """
    users = _described(folder / "users.dat", "::", ["user", "gender", "age", "occupation", "zip"])
    movies = _described(folder / "movies.dat", "::", ["item", "title", "genres"])
    movies["year"] = movies["title"].str.extract(r"\((\d{4})\)\s*$", expand=False).fillna("")
    movies["genres"] = movies["genres"].str.split("|")
    return _log("ml-1m", folder / "ratings.dat", "::", users, movies)


def load_100k(folder: Path) -> Log:
    """MovieLens 100K from `u.data`, `u.user`, `u.item` and `u.genre`.

    Raises:
        InputError: a file that is not in the official format (file and line).
    """
    genres = _genres(folder / "u.genre")
    users = _described(folder / "u.user", "|", ["user", "age", "gender", "occupation", "zip"])
    path = folder / "u.item"
    movies = _described(path, "|", [*MOVIE_COLUMNS, *genres])
    flags = np.stack(
        [delimited.integers(path, movies, genre) for genre in genres], axis=1
    )  # (movies, genres)
    movies["genres"] = [[genres[code] for code in np.flatnonzero(row)] for row in flags]
    movies["year"] = movies["released"].str.extract(r"(\d{4})$", expand=False).fillna("")
    return _log("ml-100k", folder / "u.data", "\t", users, movies, ordered=False)  # Its README says so.


def _genres(path: Path) -> list[str]:
    """The names of the flags in `u.item`, in their order."""
    frame = _read(path, "|", ["genre", "code"])
    names = frame["genre"].str.strip()
    for line, name in names.items():
        if not name:
            raise InputError(f"{path}, line {line}: 'genre' is missing; get the file again")
        if name in MOVIE_COLUMNS or (names == name).sum() > 1:
            raise InputError(f"{path}, line {line}: the genre '{name}' is there twice; get the file again")
    return names.tolist()


def _read(path: Path, separator: str, columns: list[str]) -> pd.DataFrame:
    return delimited.read(path, separator, columns, encoding="latin-1")


def _ids(path: Path, frame: pd.DataFrame, column: str) -> npt.NDArray[np.int64]:
    ids = delimited.integers(path, frame, column)
    broken = np.flatnonzero(delimited.numbers(path, frame, column) != ids)
    if len(broken):
        found, line = frame[column].iloc[broken[0]], frame.index[broken[0]]
        raise InputError(f"{path}, line {line}: '{found}' in column '{column}' is no id; give a whole number")
    return ids


def _described(path: Path, separator: str, columns: list[str]) -> pd.DataFrame:
    """A table of users or items, indexed by the first column, their ids as numbers."""
    frame = _read(path, separator, columns)
    ids = _ids(path, frame, columns[0])
    described = frame.set_index(ids)
    again = np.flatnonzero(described.index.duplicated())
    if len(again):
        line = frame.index[again[0]]
        raise InputError(
            f"{path}, line {line}: {columns[0]} {ids[again[0]]} is described twice; leave one out"
        )
    return described


def _log(
    name: str, path: Path, separator: str, users: pd.DataFrame, movies: pd.DataFrame, ordered: bool = True
) -> Log:
    """The ratings in the order of their file, with the features of the users who rate and of all movies."""
    columns = ["user", "item", "rating", "timestamp"]
    ratings = delimited.read(path, separator, columns, encoding="latin-1", numeric=True)
    raw_user, raw_item = _ids(path, ratings, "user"), _ids(path, ratings, "item")
    user_ids, user = np.unique(raw_user, return_inverse=True)
    listed = movies.index.to_numpy()
    item_ids = np.union1d(raw_item, listed)
    return Log(
        name=name,
        user=user.astype(np.int32),
        item=np.searchsorted(item_ids, raw_item).astype(np.int32),
        user_ids=user_ids.astype(str).astype(object),
        item_ids=item_ids.astype(str).astype(object),
        timestamp=delimited.integers(path, ratings, "timestamp"),
        rating=delimited.numbers(path, ratings, "rating").astype(np.float32),
        ordered=ordered,
        listed=np.isin(item_ids, listed),
        user_features=_user_features(users.reindex(user_ids)),
        item_features=_item_features(movies.reindex(item_ids)),
    )


def _user_features(users: pd.DataFrame) -> Features:
    import pandas as pd

    age = pd.to_numeric(users["age"], errors="coerce").to_numpy(dtype=np.float64)
    group = np.array(["under 18", *map(str, AGES)], dtype=object)[np.searchsorted(AGES, age, side="right")]
    columns = {
        "gender": users["gender"].fillna(""),
        "age": pd.Series(np.where(np.isnan(age), "", group)),
        "occupation": users["occupation"].fillna(""),
    }
    return Features(
        {name: Categorical(*_encode(values.to_numpy(dtype=object))) for name, values in columns.items()}
    )


def _item_features(movies: pd.DataFrame) -> Features:
    year = Categorical(*_encode(movies["year"].fillna("").to_numpy(dtype=object)))
    rows = [row if isinstance(row, list) else [] for row in movies["genres"]]
    genre, genres = _encode(np.array([value for row in rows for value in row], dtype=object))
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    return Features(
        {"year": year, "genres": Multivalued(Ragged.from_offsets(genre, offsets_of(lengths)), genres)}
    )


def _encode(values: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Codes int32[n] of text and the text of each code; "" and "unknown" are code 0."""
    known = sorted(set(values) - {"", "unknown"})
    code_of = {value: code for code, value in enumerate(["unknown", *known])}
    codes = np.array([code_of.get(value, 0) for value in values], dtype=np.int32)
    return codes, ["unknown", *known]


def _source(
    name: str,
    counts: tuple[int, int, int],
    read: Callable[[Path], Log],
    files: tuple[str, ...],
    digest: str,
) -> Source:
    users, items, interactions = counts
    return Source(
        name,
        ("next-item", "cold-items", "leave-last-one", "time"),
        holds_here(*files),
        read,
        Download(
            {f"{name}.zip": digest},
            ("https://files.grouplens.org/datasets/movielens/{file}",),
            f"get {name}.zip from https://grouplens.org/datasets/movielens, its files go into "
            f"<data-dir>/{name}",
        ),
        users=users,
        items=items,
        interactions=interactions,
        license="research; no redistribution or commercial use without permission",
    )


SOURCES = (
    _source(
        "ml-1m",
        (6_040, 3_883, 1_000_209),
        load_1m,
        FILES_1M,
        "md5:c4d9eecfca2ab87c1945afe126590906",
    ),
    _source(
        "ml-100k",
        (943, 1_682, 100_000),
        load_100k,
        FILES_100K,
        "md5:0e33842e24a9c977be4e0107933c0723",
    ),
)
