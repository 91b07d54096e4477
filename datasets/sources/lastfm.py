"""Last.fm's listeners and artists: three datasets, whose tables have tabs and no quotes.

- 1K (Celma 2010): `userid-timestamp-artid-artname-traid-traname.tsv` has no header and six columns: user,
  time (ISO 8601 with Z), artist's MusicBrainz id, artist's name, track's id, track's name; a row for each
  track played, a user's latest first.
- 360K (Celma 2010): `usersha1-artmbid-artname-plays.tsv` has no header and four columns: user, artist's
  MusicBrainz id, artist's name, plays. Plays are weights.
- 2K (Cantador et al., HetRec 2011): `user_artists.dat` has the header `userID artistID weight`, the weight
  being plays. Tags are left out: users of the test part gave them too, each to artists of their own.

The MusicBrainz id is missing for many artists of 1K and 360K. An artist is known by that id, else by its name
after "name:", which no such id begins with. A few lines of both are broken: they are counted and left out; a
file with many of them is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog, Describe
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe, raw, tars
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, need, numbers, seconds
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

TRACKS, PROFILES_1K = "userid-timestamp-artid-artname-traid-traname.tsv", "userid-profile.tsv"
PLAYS, PROFILES_360K = "usersha1-artmbid-artname-plays.tsv", "usersha1-profile.tsv"
ARCHIVE_1K, ARCHIVE_360K = "lastfm-dataset-1K.tar", "lastfm-dataset-360K.tar"
"""As published, gzipped; read where they lie"""
USER_ARTISTS = "user_artists.dat"
LINES = Layout(("line",), "\x1f", quoted=False, block_bytes=1 << 22)
"""Whole lines: the separator is a character that no name has"""
TABLE = Layout(separator="\t", quoted=False)
PROFILES = Layout(("user", "gender", "age", "country", "signup"), "\t", quoted=False)
DESCRIBED = ("gender", "country")
MBID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
BROKEN, UNPLAYED = "broken", "without a play"
FEW, SHARE = 10, 10_000
"""Broken lines that are borne: so many, and one in so many"""
NON_COMMERCIAL = "non-commercial use"

Read = Callable[[Path], ChunkedLog]
Numbers = tuple[Integers, npt.NDArray[np.bool_]]
"""int64[n] of texts, and which of them are none"""


@dataclass(frozen=True)
class _Format:
    """A file of plays."""

    file: str
    columns: int
    user: str
    """What users look like, a regular expression"""
    artist: int
    """The column of the artist's MusicBrainz id, before that of the name"""
    number: int
    """The column of the time or the plays"""
    numbers: Callable[[pa.Array], Numbers]


def load_1k(folder: Path) -> ChunkedLog:
    """The artists of the tracks played.

    Raises:
        InputError: a missing file, or one with many broken lines (the row of the first).
    """
    file, tally = _plays_of(folder, TRACKS, ARCHIVE_1K), Tally("ISO 8601")

    def chunks() -> Iterator[Chunk]:
        for user, artist, time in _rows(file, FORMAT_1K, tally):
            yield Chunk(user, artist, time)

    users = _profiles(folder, PROFILES_1K, ARCHIVE_1K)
    return ChunkedLog("lastfm-1k", chunks, describe_users=users, ordered=False, reading=tally.reading)


def load_360k(folder: Path) -> ChunkedLog:
    """The artists of each user, with plays as weights.

    Raises:
        InputError: as `load_1k`.
    """
    file, tally = _plays_of(folder, PLAYS, ARCHIVE_360K), Tally()

    def chunks() -> Iterator[Chunk]:
        for user, artist, plays in _rows(file, FORMAT_360K, tally):
            rows = tally.keep(plays > 0, UNPLAYED)
            yield Chunk(user.take(rows), artist.take(rows), weight=plays[rows].astype(np.float32))

    users = _profiles(folder, PROFILES_360K, ARCHIVE_360K)
    return ChunkedLog("lastfm-360k", chunks, describe_users=users, ordered=False, reading=tally.reading)


def load_2k(folder: Path) -> ChunkedLog:
    """The artists of each user, with plays as weights.

    Raises:
        InputError: a missing file, or one of another format (file and line).
    """
    file, tally = need(folder, USER_ARTISTS), Tally()

    def chunks() -> Iterator[Chunk]:
        tally.restart()
        for batch in read_columns(file, dict.fromkeys(("userID", "artistID", "weight"), "int64"), TABLE):
            tally.rows += len(batch)
            rows = tally.keep(numbers(batch, "weight") > 0, UNPLAYED)
            user, artist, plays = (numbers(batch, name)[rows] for name in ("userID", "artistID", "weight"))
            yield Chunk(user, artist, weight=plays.astype(np.float32))

    return ChunkedLog("lastfm-2k", chunks, ordered=False, reading=tally.reading)


def _rows(file: RawFile, form: _Format, tally: Tally) -> Iterator[tuple[pa.Array, pa.Array, Integers]]:
    """User, artist and number of the lines that are not broken."""
    import pyarrow.compute as pc

    tally.restart()
    first = None
    for batch in read_columns(file, {"line": "string"}, LINES):
        fields = pc.split_pattern(batch.column("line"), "\t")
        whole = pc.equal(pc.list_value_length(fields), form.columns).to_numpy(zero_copy_only=False)
        fields = fields.take(np.flatnonzero(whole))
        user, mbid, name, number = (
            pc.list_element(fields, place) for place in (0, form.artist, form.artist + 1, form.number)
        )
        values, wrong = form.numbers(number)
        artist, unnamed = _artists(mbid, name)
        good = ~wrong & ~unnamed & pc.match_substring_regex(user, form.user).to_numpy(zero_copy_only=False)
        whole[whole] = good
        if first is None and not whole.all():
            first = tally.rows + int(np.argmin(whole)) + 1
        tally.rows += len(batch)
        tally.keep(whole, BROKEN)
        kept = np.flatnonzero(good)
        yield user.take(kept), artist.take(kept), values[kept]
    if (broken := tally.dropped.get(BROKEN, 0)) > FEW + tally.rows // SHARE:
        raise InputError(f"{file}: {broken:,} rows are broken, the first is row {first}; get the file again")


def _artists(mbid: pa.Array, name: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """The artist of each row, and which rows have none: no name and no id, or an id of another form."""
    import pyarrow.compute as pc

    no_mbid = pc.equal(mbid, "")
    artist = pc.if_else(no_mbid, pc.binary_join_element_wise("name:", name, ""), mbid)
    known = pc.if_else(no_mbid, pc.not_equal(name, ""), pc.match_substring_regex(mbid, MBID))
    return artist, ~known.to_numpy(zero_copy_only=False)


def _plays(texts: pa.Array) -> Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    numeric = pc.match_substring_regex(texts, "^ *[0-9]{1,9} *$")
    plays = pc.if_else(numeric, pc.utf8_trim_whitespace(texts), "0").cast(pa.int64())
    return plays.to_numpy(), ~numeric.to_numpy(zero_copy_only=False)


FORMAT_1K = _Format(
    TRACKS, 6, "^user_[0-9]+$", artist=2, number=1, numbers=partial(seconds, form="%Y-%m-%dT%H:%M:%SZ")
)
FORMAT_360K = _Format(PLAYS, 4, "^[0-9a-f]{40}$", artist=1, number=3, numbers=_plays)


def _plays_of(folder: Path, name: str, archive: str) -> RawFile:
    return tars.find(folder, name, archive) or need(folder, name)


def _profiles(folder: Path, name: str, archive: str) -> Describe | None:
    """What is said of users, if it is there."""
    file = tars.find(folder, name, archive)

    def features(ids: npt.NDArray[np.object_]) -> Features:
        assert file is not None
        # A header, where there is one, describes a user called "#id".
        described = describe.table([file], "user", DESCRIBED, PROFILES, text_key=True)
        return describe.features(describe.rows_of(ids, described, "user"), DESCRIBED)

    return features if file else None


def _celma(size: str, archive: str, file: str, protocols: tuple[str, ...], read: Read) -> Source:
    name = f"lastfm-{size.lower()}"
    return Source(
        name,
        protocols,
        lambda folder: tars.find(folder, file, archive) is not None,
        read,
        Download(
            {},
            (),
            f"get {archive}.gz from http://ocelma.net/MusicRecommendationDataset/lastfm-{size}.html, and put "
            f"it, packed or not, into <data-dir>/{name}",
        ),
        absent="manual download",
        license=NON_COMMERCIAL,
    )


SOURCES = (
    replace(
        _celma("1K", ARCHIVE_1K, TRACKS, IN_TIME, load_1k),
        users=992,
        items=176_948,
        interactions=19_150_868,
    ),
    replace(
        _celma("360K", ARCHIVE_360K, PLAYS, ("random",), load_360k),
        interactions=17_559_530,
    ),
    Source(
        "lastfm-2k",
        ("random",),
        raw.holds(USER_ARTISTS),
        load_2k,
        Download(
            {"hetrec2011-lastfm-2k.zip": "md5:296d61afe4e8632b173fc2dd3be20ce2"},
            ("https://files.grouplens.org/datasets/hetrec2011/{file}",),
            "get hetrec2011-lastfm-2k.zip from https://grouplens.org/datasets/hetrec-2011, its files go into "
            "<data-dir>/lastfm-2k",
        ),
        users=1_892,
        items=17_632,
        interactions=92_834,
        license=NON_COMMERCIAL,
    ),
)
