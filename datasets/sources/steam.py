r"""Steam (Kang and McAuley, ICDM 2018): reviews of games.

`steam_reviews.json.gz` has a Python 2 dict on each line, no JSON: `{u'username': u'Chaos', u'hours': 0.1}`.
Every review is an interaction. What is particular:

- `user_id` is mostly missing: users go by `username`.
- `date` is a day, `2017-12-17`.
- Pages were fetched more than once, so that most reviews stand there again: those of one user, game and day
  count once.
- Characters beyond the first 65,536 may be written as two halves, `\ud83d\ude00`.
- `steam_games.json.gz`, if it is there, gives genres and tags. Its `sentiment` and `metascore` are of all
  time, later reviews included, and no features.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe, json_lines, raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Tally, find, need
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

NAME = "steam"
REVIEWS, GAMES = "steam_reviews.json", "steam_games.json"
FIELDS = ("username", "product_id", "date")
INCOMPLETE = "without a user, a game or a day"
AGAIN = "of the user, the game and the day of another"
ROWS = 1 << 17
_TEXT = r"""u?(?:'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")"""
_PAIR = re.compile(rf"""u?(['"])(\w+)\1: ({_TEXT}|-?[0-9][0-9.e+-]*|True|False|None)(, |\}}\s*\Z)""")


def load(folder: Path) -> ChunkedLog:
    """The reviews.

    Raises:
        InputError: a missing file, or a line of another form (it is named).
    """
    reader, games = _Reader(need(folder, REVIEWS)), find(folder, GAMES)
    return ChunkedLog(
        NAME,
        reader.chunks,
        describe_items=partial(_item_features, games) if games else None,
        reading=reader.tally.reading,
    )


@dataclass
class _Reader:
    """One pass over the reviews."""

    file: RawFile
    tally: Tally = field(default_factory=lambda: Tally("by %Y-%m-%d"))

    def chunks(self) -> Iterator[Chunk]:
        import pyarrow as pa

        self.tally.restart()
        reviews, seen = self._reviews(), set[int]()
        while rows := list(islice(reviews, ROWS)):
            users, games, times = zip(*rows, strict=True)
            self.tally.rows += len(rows)
            kept = self.tally.keep(np.array([None not in row for row in rows]), INCOMPLETE)
            kept = kept[self.tally.keep(_new([rows[at] for at in kept], seen), AGAIN)]
            seconds = np.array([time or 0 for time in times], dtype=np.int64)[kept]
            yield Chunk(
                pa.array(users, pa.string()).take(kept), pa.array(games, pa.string()).take(kept), seconds
            )

    def _reviews(self) -> Iterator[tuple[str | None, str | None, int | None]]:
        """User, game and time of each review, None where one is missing."""
        for line, found in json_lines.objects(self.file, parse, "Python"):
            user, game, day = (self._text(line, name, found.get(name)) for name in FIELDS)
            yield user, game, self._time(line, day) if day else None

    def _text(self, line: int, name: str, value: object) -> str | None:
        if not isinstance(value, str | None):
            raise InputError(f"{self.file}, line {line}: '{name}' is {value!r:.40}; get the file again")
        return _joined(value) if value else None

    def _time(self, line: int, day: str) -> int:
        try:
            return _seconds(day)
        except ValueError:
            raise InputError(f"{self.file}, line {line}: {day:.40} is no day; get the file again") from None


def parse(line: bytes) -> Any:
    """The value of a Python literal; of a dict of texts, numbers and constants only `FIELDS`, for speed.

    Raises:
        ValueError or SyntaxError: it is none.
    """
    text, found = line.decode(), {}
    at = 1 if text.startswith("{") else len(text)
    while pair := _PAIR.match(text, at):
        _, key, value, end = pair.groups()
        if key in FIELDS:
            plain = value[-1] in "'\"" and "\\" not in value
            found[key] = value.lstrip("u")[1:-1] if plain else ast.literal_eval(value)
        if end != ", ":
            return found
        at = pair.end()
    return ast.literal_eval(text)


def _new(rows: list[tuple[Any, ...]], seen: set[int]) -> npt.NDArray[np.bool_]:
    """Which of `rows` are not among those `seen`, bool[n]; they are added."""
    new = np.zeros(len(rows), dtype=np.bool_)
    for at, row in enumerate(rows):
        # A number of 64 bits takes less memory than the texts.
        digest = blake2b("\0".join(map(str, row)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        before = len(seen)
        seen.add(int.from_bytes(digest, "big"))
        new[at] = len(seen) > before
    return new


@lru_cache(1 << 14)
def _seconds(day: str) -> int:
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def _joined(text: str) -> str:
    """`text` with halves of a character, if any, made one."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _item_features(file: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    games = json_lines.objects(file, lambda line: ast.literal_eval(line.decode()), "Python")
    return describe.of_objects(file, games, ids, "id", single=(), several=("genres", "tags"))


SOURCES = (
    Source(
        NAME,
        IN_TIME,
        raw.holds(REVIEWS),
        load,
        Download(
            {},
            (),
            f"get {REVIEWS}.gz and, for genres and tags, {GAMES}.gz from "
            f"https://cseweb.ucsd.edu/~wckang, and put them into <data-dir>/{NAME}",
        ),
        absent="manual download",
        users=2_567_538,  # The published 32,135 items are games, with and without a review.
        interactions=7_793_069,
    ),
)
