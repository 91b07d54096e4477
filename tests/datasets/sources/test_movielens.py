"""MovieLens files: small ones by hand, and the published counts of the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Features
from retrieval_leaderboard.datasets.sources import movielens
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError


def write_1m(folder: Path, **changed: str) -> Path:
    files = {
        "ratings.dat": "7::20::5::978300760\n2::10::1::978300761\n7::10::3::978300762\n",
        "users.dat": "2::F::1::10::48067\n7::M::56::16::70072\n9::M::25::15::55117\n",
        "movies.dat": "10::Café (1995)::Comedy|Drama\n20::Nikita (Femme) (1990)::Thriller\n30::Never::War\n",
    }
    for name, content in (files | {key.replace("_", "."): text for key, text in changed.items()}).items():
        (folder / name).write_text(content, encoding="latin-1")
    return folder


def write_100k(folder: Path) -> Path:
    none, comedy = "|".join("1000"), "|".join("0101")
    (folder / "u.data").write_text("1\t2\t4\t880\n3\t1\t5\t881\n")
    (folder / "u.user").write_text("1|24|M|technician|85711\n3|9|F|other|94043\n")
    (folder / "u.item").write_text(
        f"1|Toy (1995)|01-Jan-1995||http://x|{comedy}\n2|unknown||||{none}\n", encoding="latin-1"
    )
    (folder / "u.genre").write_text("unknown|0\nAction|1\nDrama|2\nComedy|3\n\n")
    return folder


def value(features: Features | None, column: str, row: int) -> str:
    assert features is not None
    return features[column].vocabulary[features[column].codes[row]]


def genres(features: Features | None, row: int) -> list[str]:
    assert features is not None
    return [features["genres"].vocabulary[code] for code in features["genres"].codes[row]]


def test_1m_as_written(tmp_path: Path):
    log = movielens.load_1m(write_1m(tmp_path))
    assert log.user_ids.tolist() == ["2", "7"]
    assert log.item_ids.tolist() == ["10", "20", "30"]
    assert log.listed is not None and log.listed.all()
    assert (log.user.tolist(), log.item.tolist()) == ([1, 0, 1], [1, 0, 0])
    assert log.rating is not None and log.rating.tolist() == [5, 1, 3]
    assert log.timestamp is not None and log.timestamp.tolist() == [978300760, 978300761, 978300762]
    columns = ("gender", "age", "occupation")
    assert [value(log.user_features, column, 0) for column in columns] == ["F", "under 18", "10"]
    assert [value(log.user_features, column, 1) for column in columns] == ["M", "56", "16"]
    assert [value(log.item_features, "year", row) for row in (0, 1)] == ["1995", "1990"]
    assert [genres(log.item_features, row) for row in (0, 1)] == [["Comedy", "Drama"], ["Thriller"]]


def test_users_and_movies_without_a_description_are_unknown(tmp_path: Path):
    folder = write_1m(tmp_path, users_dat="7::M::25::16::70072\n", movies_dat="20::No year::Thriller\n")
    log = movielens.load_1m(folder)
    assert [value(log.user_features, column, 0) for column in ("gender", "age")] == ["unknown", "unknown"]
    assert [value(log.item_features, "year", row) for row in (0, 1)] == ["unknown", "unknown"]
    assert [genres(log.item_features, row) for row in (0, 1)] == [[], ["Thriller"]]


def test_100k_as_written(tmp_path: Path):
    log = movielens.load_100k(write_100k(tmp_path))
    assert (log.user.tolist(), log.item.tolist()) == ([0, 1], [1, 0])
    assert [value(log.user_features, "age", row) for row in (0, 1)] == ["18", "under 18"]
    assert [value(log.user_features, "occupation", row) for row in (0, 1)] == ["technician", "other"]
    assert [value(log.item_features, "year", row) for row in (0, 1)] == ["1995", "unknown"]
    assert [genres(log.item_features, row) for row in (0, 1)] == [["Action", "Comedy"], ["unknown"]]


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ("1::1::5::978\n1::2::x::979\n", "ratings.dat, line 2: 'x' in column 'rating' is not a number"),
        ("1::1::5::978\n\n\none::2::4::979\n", "ratings.dat, line 4: 'one' in column 'user' is not a number"),
        ("1::1::5::978\n1::2::5\n", "ratings.dat, line 2: 'timestamp' is missing"),
        ("1::1::5::978\n1::2::5::979::7\n", "line 2"),
        ("1,1,5,978\n", "ratings.dat, line 1: '1,1,5,978' in column 'user' is not a number"),
        ("", "ratings.dat: the file is empty"),
    ],
)
def test_malformed_ratings(tmp_path: Path, ratings: str, message: str):
    with pytest.raises(InputError) as error:
        movielens.load_1m(write_1m(tmp_path, ratings_dat=ratings))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ("2\tF\t1\t10\t48067\n", "users.dat, line 1: '2\tF\t1\t10\t48067' in column 'user' is not a number"),
        (
            "2::F::1::10::48067\n7::M::56::16::70072\n2::M::1::1::1\n",
            "users.dat, line 3: user 2 is described twice",
        ),
    ],
)
def test_malformed_users(tmp_path: Path, users: str, message: str):
    with pytest.raises(InputError) as error:
        movielens.load_1m(write_1m(tmp_path, users_dat=users))
    assert message in str(error.value)


def test_1m_published_counts_and_next_item_queries(data_dir: Path):
    log = movielens.load_1m(data_dir / "ml-1m")
    assert (len(log.user_ids), len(log.item_ids), len(log.user)) == (6040, 3883, 1_000_209)
    dataset = split(log, "next-item", False, 0)
    assert dataset.train.n_items == 3706
    assert abs(len(dataset.test) - 14_990) <= 40  # whose ratings come last depends on the order of ties
    assert len(dataset.train_valid) == 1_000_209 - 3 * 6040
    assert dataset.test.history.values is dataset.valid.history.values
    assert dataset.test.history.lengths.min() >= 17
    assert log.item_features is not None and log.item_features["year"].codes.min() > 0
    assert len(log.item_features["genres"].vocabulary) == 19
    assert log.user_features is not None and np.bincount(log.user_features["age"].codes)[0] == 0


def test_100k_published_counts(data_dir: Path):
    log = movielens.load_100k(data_dir / "ml-100k")
    assert (len(log.user_ids), len(log.item_ids), len(log.user)) == (943, 1682, 100_000)
    dataset = split(log, "leave-last-one", True, 0)
    assert len(dataset.test) == len(dataset.valid) == 943


@pytest.mark.parametrize("again", ["Action", "item", "title"])
def test_a_genre_that_is_there_twice(tmp_path: Path, again: str):
    folder = write_100k(tmp_path)
    (folder / "u.genre").write_text(f"unknown|0\nAction|1\n{again}|2\nComedy|3\n")
    with pytest.raises(InputError, match=rf"u\.genre, line [23]: the genre '{again}' is there twice"):
        movielens.load_100k(folder)


def test_a_fraction_is_no_id(tmp_path: Path):
    folder = write_100k(tmp_path)
    (folder / "u.data").write_text("1\t2\t4\t880\n3.5\t1\t5\t881\n")
    with pytest.raises(InputError, match=r"u\.data, line 2: '3.5' in column 'user' is no id"):
        movielens.load_100k(folder)
