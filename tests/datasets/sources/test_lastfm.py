"""Last.fm's datasets in their official layouts: no quoting, artists without an id, broken lines, cp1252."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import lastfm
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

UNDERWORLD, VEGA = "463a94f1-2713-40b1-9c88-dcc9c0170cae", "6c54f7aa-84be-4a66-a16a-3e1e2dbb0adc"
TRACK = "dc394163-2b78-4b56-94e4-658597a29ef8"
TRACKS = (
    f"user_000001\t2009-05-04T23:08:57Z\t{UNDERWORLD}\tUnderworld\t\tBoy, Boy, Boy (Switch Remix)\n"
    f'user_000001\t2009-05-04T13:54:10Z\t\t"Weird Al\t{TRACK}\tComposition 0919 (Live_2009_4_15)\n'
    f"user_000002\t2006-08-13T13:59:20Z\t{VEGA}\tMinus 8 & Virág\t{TRACK}\tElysian Fields\n"
    f"user_000002\t2006-08-13T13:59:20Z\t\t{VEGA}\t\t\n"
)
BROKEN = (
    "user_000003\t2009-05-04T23:08:57Z\t\tCut off\n"
    f"user_000003\t2009-05-04T23:08:57Z\t{UNDERWORLD}\tUnder\tworld\t\tOne tab too many\n"
    "user_000003\t2009-02-30T23:08:57Z\t\tNo such day\t\t\n"
    "user_000003\t2009-05-04T23:08:57Z\t\t\t\tNobody\n"
    "user_000003\t2009-05-04T23:08:57Z\tnone\tNo MusicBrainz id\t\t\n"
    '"user_000003\t2009-05-04T23:08:57Z\t\tA quote opens the line\t\t\n'
    "\t2009-05-04T23:08:57Z\t\tOf no user\t\t\n"
)
SHA1 = "00000c289a1829a808ac09c00daf10bc3c4e223b"
SHA2 = "00001411dc427966b17297bf4d69e7e193135d89"
PLAYS = (
    f"{SHA1}\t3bd73256-3905-4f3a-97e2-8b341527f805\tbetty blowtorch\t2137\n"
    f'{SHA1}\t\tdie "Ärzte" \'live\t1099\n'
    f"{SHA2}\t3bd73256-3905-4f3a-97e2-8b341527f805\tbetty blowtorch\t 5 \n"
    f"{SHA2}\t\tnever played\t0\n"
    "sep 20, 2008\t7ffd711a-b34d-4739-8aab-25e045c246da\tturbostaat\t12\n"
    f"{SHA2}\t\tmany\tmany times\n"
)


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        (folder / name).write_bytes(rows.encode())
    return folder


def tracks(folder: Path, rows: str = TRACKS + BROKEN) -> Path:
    profiles = (
        "#id\tgender\tage\tcountry\tregistered\n"
        "user_000001\tm\t\tJapan\tAug 13, 2006\nuser_000002\tf\t\t\tFeb 24, 2006\n"
    )
    return write(folder, {lastfm.TRACKS: rows, lastfm.PROFILES_1K: profiles})


def test_tracks_played_are_interactions_with_artists(tmp_path: Path):
    log = lastfm.load_1k(tracks(tmp_path)).log()
    assert decoded.timed(log) == [
        ("user_000001", UNDERWORLD, 1_241_478_537),
        ("user_000001", 'name:"Weird Al', 1_241_445_250),
        ("user_000002", VEGA, 1_155_477_560),
        ("user_000002", f"name:{VEGA}", 1_155_477_560),
    ]
    assert not log.ordered
    assert log.reading is not None
    assert (log.reading.rows, log.reading.dropped) == (11, {"broken": 7})
    country = decoded.values(log.user_features, "country", log.user_ids)
    assert country == {"user_000001": "Japan", "user_000002": "unknown"}


def packed(folder: Path, archive: str) -> Path:
    """The files of a folder in an archive, as it is published, with a folder inside."""
    into = folder.with_name(f"{folder.name}-packed")
    into.mkdir()
    with tarfile.open(into / f"{archive}.gz", "w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, f"{archive.removesuffix('.tar')}/{path.name}")
    return into


def test_archives_are_read_where_they_lie(tmp_path: Path):
    unpacked = tracks(tmp_path / "lastfm-1k")
    folder = packed(unpacked, lastfm.ARCHIVE_1K)
    assert SOURCES["lastfm-1k"].holds(folder)
    log, expected = lastfm.load_1k(folder).log(), lastfm.load_1k(unpacked).log()
    assert decoded.timed(log) == decoded.timed(expected)
    country = decoded.values(log.user_features, "country", log.user_ids)
    assert country == decoded.values(expected.user_features, "country", expected.user_ids)
    assert [path.name for path in folder.iterdir()] == ["lastfm-dataset-1K.tar.gz"]
    files = {lastfm.PLAYS: PLAYS, lastfm.PROFILES_360K: f"{SHA1}\tf\t22\tGermany\tFeb 1, 2007\n"}
    folder = packed(write(tmp_path / "360k", files), lastfm.ARCHIVE_360K)
    assert SOURCES["lastfm-360k"].holds(folder)
    assert len(lastfm.load_360k(folder).log().user) == 3


def test_a_line_that_is_no_text_is_named_in_an_archive_too(tmp_path: Path):
    unpacked = tracks(tmp_path / "lastfm-1k")
    with (unpacked / lastfm.TRACKS).open("ab") as file:
        file.write(b"user_000003\t2009-05-04T23:08:57Z\t\t\xff\t\t\n")
    with pytest.raises(InputError, match=r"tar\.gz:userid.*\.tsv, line 12: the text .* is not UTF-8"):
        lastfm.load_1k(packed(unpacked, lastfm.ARCHIVE_1K)).log()


def test_a_file_of_many_broken_lines_is_refused(tmp_path: Path):
    good, broken = TRACKS.splitlines(keepends=True)[0], BROKEN.splitlines(keepends=True)[0]
    enough = tracks(tmp_path, good + 10 * broken)
    assert len(lastfm.load_1k(enough).log().user) == 1
    message = rf"{lastfm.TRACKS}: 11 rows are broken, the first is row 2; get the file again"
    with pytest.raises(InputError, match=message):
        lastfm.load_1k(tracks(tmp_path, good + 11 * broken)).log()
    large = tracks(tmp_path, 9_989 * good + 11 * broken)
    assert len(lastfm.load_1k(large).log().user) == 9_989


def test_plays_are_weights(tmp_path: Path):
    profiles = f"{SHA1}\tf\t22\tGermany\tFeb 1, 2007\n{SHA2}\t\t\tSpain\tJan 1, 2007\n"
    log = lastfm.load_360k(write(tmp_path, {lastfm.PLAYS: PLAYS, lastfm.PROFILES_360K: profiles})).log()
    betty = "3bd73256-3905-4f3a-97e2-8b341527f805"
    assert decoded.pairs(log) == [(SHA1, betty), (SHA1, 'name:die "Ärzte" \'live'), (SHA2, betty)]
    assert log.weight is not None and log.weight.tolist() == [2137, 1099, 5]
    assert log.timestamp is None
    assert log.reading is not None
    assert (log.reading.rows, log.reading.dropped) == (6, {"broken": 2, "without a play": 1})
    assert decoded.values(log.user_features, "gender", log.user_ids) == {SHA1: "f", SHA2: "unknown"}


def hetrec(folder: Path) -> Path:
    folder.mkdir()
    with zipfile.ZipFile(folder / "hetrec2011-lastfm-2k.zip", "w") as archive:
        archive.writestr(
            "user_artists.dat", "userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t9\t11690\r\n10\t51\t1\r\n"
        )
        archive.writestr("tags.dat", "tagID\ttagValue\r\n7\tcafé\r\n13\tchillout\r\n".encode("cp1252"))
        archive.writestr("artists.dat", 'id\tname\turl\tpictureURL\r\n51\tsay "\thttp\t\r\n')
    return folder


def test_plays_of_2k(tmp_path: Path):
    log = lastfm.load_2k(hetrec(tmp_path / "lastfm-2k")).log()
    assert decoded.pairs(log) == [("2", "51"), ("2", "9"), ("10", "51")]
    assert log.weight is not None and log.weight.tolist() == [13883, 11690, 1]
    assert log.item_features is None


def test_a_row_of_another_format_is_named(tmp_path: Path):
    write(tmp_path, {lastfm.USER_ARTISTS: "userID\tartistID\tweight\n2\t51\tmany\n"})
    with pytest.raises(InputError, match=r"user_artists\.dat, line 2: 'many' in column 'weight'"):
        lastfm.load_2k(tmp_path).log()


def test_by_name(tmp_path: Path):
    rows = "userID\tartistID\tweight\n" + "".join(
        f"{u}\t{(u + a) % 9}\t{a}\n" for u in range(20) for a in range(1, 8)
    )
    write(tmp_path / "lastfm-2k", {lastfm.USER_ARTISTS: rows})
    data = load("lastfm-2k", tmp_path)
    assert data.protocol == "random"
    assert "140 interactions, not the published 92,834" in data.notes
    with pytest.raises(InputError, match=r"get lastfm-dataset-360K\.tar\.gz from http://ocelma\.net"):
        load("lastfm-360k", tmp_path)
