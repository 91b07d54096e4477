"""The Netflix Prize in Kaggle's and in the original layout: movies on lines of their own, days, Latin-1."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import netflix
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

MOVIES = {
    1: "1488844,3,2005-09-06\n822109,5,2005-05-13\n",
    2: "2059652,4,2005-09-05\n6,1,2000-02-29\n",
    17: "6,5,1999-12-31\n",
    4500: "2649429,2,2005-12-31\n1488844,4,2005-09-06\n",
}
TITLES = (
    "1,2003,Dinosaur Planet\n2,NULL,Am\xe9lie, or The Fabulous, Destiny\n17,2005,7 Seconds\n4500,1974,Lenny\n"
)
STARS = [3, 5, 4, 1, 5, 2, 4]


def day(year: int, month: int, number: int) -> int:
    return int(datetime(year, month, number, tzinfo=UTC).timestamp())


RATINGS = [
    ("1488844", "1", day(2005, 9, 6)),
    ("822109", "1", day(2005, 5, 13)),
    ("2059652", "2", day(2005, 9, 5)),
    ("6", "2", day(2000, 2, 29)),
    ("6", "17", day(1999, 12, 31)),
    ("2649429", "4500", day(2005, 12, 31)),
    ("1488844", "4500", day(2005, 9, 6)),
]


def kaggle(folder: Path, last: str = "") -> Path:
    """The four files and the titles, in Kaggle's archive."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for name, movie in zip(netflix.COMBINED, MOVIES, strict=True):
            archive.writestr(name, f"{movie}:\n{MOVIES[movie]}" + (last if movie == 4500 else ""))
        archive.writestr("movie_titles.csv", TITLES.encode("latin-1"))
        archive.writestr("probe.txt", "1:\n30878\n")
    return folder


def original(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "training_set.tar", "w") as archive:
        directory = tarfile.TarInfo("training_set")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(directory)
        for movie, rows in MOVIES.items():
            content = f"{movie}:\n{rows}".encode()
            member = tarfile.TarInfo(f"training_set/mv_{movie:07d}.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / "movie_titles.txt").write_bytes(TITLES.encode("latin-1"))
    return folder


def unpacked(folder: Path) -> Path:
    original(folder)
    with tarfile.open(folder / "training_set.tar") as archive:
        archive.extractall(folder / "download", filter="data")
    (folder / "training_set.tar").unlink()
    return folder


@pytest.mark.parametrize("write", [kaggle, original, unpacked])
def test_every_form_has_the_same_ratings(tmp_path: Path, write):
    assert netflix.holds(write(tmp_path))
    log = netflix.load(tmp_path).log()
    assert decoded.timed(log) == RATINGS
    assert log.rating is not None and log.rating.tolist() == STARS
    assert not log.ordered
    years = decoded.values(log.item_features, "year", log.item_ids)
    assert years == {"1": "2003", "2": "unknown", "17": "2005", "4500": "1974"}


@pytest.mark.parametrize("size", [1, 7, 20, 21, 22])
def test_a_movie_goes_on_in_the_next_block(tmp_path: Path, monkeypatch, size: int):
    monkeypatch.setattr(netflix, "BLOCK_BYTES", size)
    source = netflix.load(kaggle(tmp_path))
    assert len(list(source.chunks())) > 4
    assert decoded.timed(source.log()) == RATINGS


def test_carriage_returns_blank_lines_and_no_last_line_feed(tmp_path: Path):
    for name, movie in zip(netflix.COMBINED, MOVIES, strict=True):
        text = f"{movie}:\n\n{MOVIES[movie]}".rstrip("\n").replace("\n", "\r\n")
        (tmp_path / name).write_bytes(text.encode())
    assert decoded.timed(netflix.load(tmp_path).log()) == RATINGS


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1488844,3,2005-9-06", "line 4: '1488844,3,2005-9-06' is no rating, as '1488844,3,2005-09-06' is"),
        ("1488844,6,2005-09-06", "line 4: '1488844,6,2005-09-06' is no rating"),
        ("1488844,0,2005-09-06", "line 4: '1488844,0,2005-09-06' is no rating"),
        ("1488844;3,2005-09-06", "line 4: '1488844;3,2005-09-06' is no rating"),
        ("14x8844,3,2005-09-06", "line 4: '14x8844,3,2005-09-06' is no rating"),
        ("1488844888,3,2005-09-06", "line 4: '1488844888,3,2005-09-06' is no rating"),
        (",3,2005-09-06", "line 4: ',3,2005-09-06' is no rating"),
        ("1488844,3,2005-O9-06", "line 4: '1488844,3,2005-O9-06' is no rating"),
        ("30878", "line 4: '30878' is no rating"),
        ("x", "line 4: 'x' is no rating"),
        ("1488844,3,2005-02-30", "row 4: 20050230 is no time"),
        ("x1:", "line 4: 'x1:' is no movie, as '1:' is"),
        (":", "line 4: ':' is no movie"),
    ],
)
@pytest.mark.parametrize("size", [7, 1 << 22])
def test_other_lines_are_refused(tmp_path: Path, monkeypatch, line: str, message: str, size: int):
    monkeypatch.setattr(netflix, "BLOCK_BYTES", size)
    with pytest.raises(InputError, match=rf"archive\.zip:combined_data_4\.txt, {message}"):
        netflix.load(kaggle(tmp_path, f"{line}\n")).log()


def test_a_rating_of_no_movie_is_refused(tmp_path: Path):
    for name in netflix.COMBINED:
        (tmp_path / name).write_text(f"\n{MOVIES[1]}1:\n")
    with pytest.raises(InputError, match=r"combined_data_1\.txt, line 2: no line 'movie:' stands before"):
        netflix.load(tmp_path).log()


def test_a_part_of_the_files_is_not_enough(tmp_path: Path):
    (tmp_path / netflix.COMBINED[0]).write_text(f"1:\n{MOVIES[1]}")
    assert not netflix.holds(tmp_path)
    with pytest.raises(InputError, match=r"has neither combined_data_1\.txt to combined_data_4\.txt nor"):
        netflix.load(tmp_path).log()


def test_two_folders_of_movies_are_refused(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mv_0000001.txt").write_text(f"1:\n{MOVIES[1]}")
    with pytest.raises(InputError, match=r"a and .*b both have files of movies; leave one"):
        netflix.load(tmp_path).log()


@pytest.mark.parametrize("size", [0, 700, 1_030, 2_000, 2_048, 2_050])
def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, size: int):
    archive = original(tmp_path) / "training_set.tar"
    archive.write_bytes(archive.read_bytes()[:size])
    with pytest.raises(InputError, match=r"training_set\.tar is damaged or no tar archive"):
        netflix.load(tmp_path).log()


def test_a_broken_title_is_named(tmp_path: Path):
    folder = original(tmp_path)
    (folder / "movie_titles.txt").write_text("1,2003,Dinosaur Planet\n2;2004;Isle of Man\n")
    with pytest.raises(InputError, match=r"movie_titles\.txt, line 2: '2;2004;Isle of Man' is no movie"):
        netflix.load(folder).log()


def test_by_name(tmp_path: Path):
    rows = "".join(
        f"{movie}:\n" + "".join(f"{user},4,2005-01-{1 + (movie + user) % 28:02d}\n" for user in range(1, 9))
        for movie in range(1, 40)
    )
    folder = tmp_path / "netflix"
    folder.mkdir()
    for name in netflix.COMBINED:
        (folder / name).write_text(rows if name == netflix.COMBINED[0] else "")
    data = load("netflix", tmp_path, exclude_seen=False)
    assert data.protocol == "time"
    assert "312 interactions, not the published 100,480,507" in data.notes
