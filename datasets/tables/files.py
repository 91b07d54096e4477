"""The files that a path stands for: itself, those under a folder, or those that match a pattern."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from retrieval_leaderboard.datasets.tables import packed
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import expanded

TEXTS = {".csv": ",\t;| ", ".tsv": "\t", ".inter": "\t, "}
"""suffix → what may stand between fields, the usual first"""
DESCRIBED = {".item": TEXTS[".inter"], ".user": TEXTS[".inter"]}
"""The same of RecBole's tables of items and users, which are no interactions"""
JSON = (".jsonl", ".ndjson", ".json")
PARQUET = ".parquet"
SUFFIXES = (*TEXTS, *JSON, PARQUET)
HIVE = re.compile(r"([^=]+)=(.*)")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
WORDS = re.compile(r"[^\W\d_]+")
SPLITS = {
    "train": ("train", "training", "trainset", "base"),
    "valid": ("valid", "validation", "validset", "val", "dev"),
    "test": ("test", "testing", "testset"),
}
"""Part of a split → the words that name it in files and folders"""


@dataclass(frozen=True)
class Found:
    """A file of a table."""

    path: Path
    partition: dict[str, str | None] = field(default_factory=dict)
    """Column → its value in all rows, as folders such as day=2024-01-01 say"""


def is_path(text: str) -> bool:
    """Whether a text looks like a path and not like the name of a dataset."""
    path = Path(text)
    known = path.suffix.lower() in (*SUFFIXES, *packed.SUFFIXES)
    return known or path.name != text or glob.has_magic(text)


def find(given: str | Path) -> tuple[list[Found], tuple[str, ...]]:
    """The files of `given`, by name, and notes on others beside them that are none.

    What begins with "_" or "." is left out, as Spark's _SUCCESS and checksums.

    Raises:
        InputError: there is none, or the files are of several formats, of a split, or of a Delta table.
    """
    path = expanded(given)
    if path.is_file():
        if packed.kind(path) not in SUFFIXES:
            raise InputError(f"{path}: a table ends in {_endings()}")
        return [Found(path)], ()
    if path.is_dir():
        base, matches = path, [path]
    elif glob.has_magic(str(path)):
        base = _fixed(path)
        try:
            matches = list(base.glob(str(path.relative_to(base))))
        except ValueError as error:
            raise InputError(f"{path} is no pattern ({error}); give one such as 'logs/*.csv'") from error
    else:
        raise InputError(f"{path}: there is no such file or folder; a table ends in {_endings()}")
    files = sorted(set(_files(base, matches)))
    tables = [file for file in files if packed.kind(file) in SUFFIXES]
    if not tables:
        raise InputError(f"{path}: there is no file in it, or of that pattern, that ends in {_endings()}")
    _check(path, base, tables)
    # Beside one log they are read as tables of its items and users.
    beside = tuple(DESCRIBED) if len(tables) == 1 else ()
    others = ", ".join(file.name for file in files if file not in tables and file.suffix not in beside)
    notes = (f"files that are no tables are not read: {others}",) if others else ()
    return [Found(file, _partition(file.relative_to(base))) for file in tables], notes


def _endings() -> str:
    return f"{', '.join(SUFFIXES)}, or one of these and {', '.join(packed.SUFFIXES)}"


def _fixed(pattern: Path) -> Path:
    """The folders of a pattern before the first that has wildcards."""
    parts = pattern.parts
    first = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def inside(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """What is in a folder and in those below it, linked ones too, in order of the names; no folder itself.

    Nothing where it is absent. A link that leads back to a folder it is in is not followed. InputError where
    a folder cannot be read.
    """
    here = folder.resolve()
    if here in above:
        return
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error
    for each in found:
        if each.is_dir():
            yield from inside(each, (*above, here))
        else:
            yield each


def _files(base: Path, matches: Iterable[Path]) -> Iterable[Path]:
    for match in matches:
        for file in inside(match) if match.is_dir() else [match]:
            names = file.relative_to(base).parts
            if "_delta_log" in names:
                raise InputError(
                    f"{base} is a Delta table, which keeps rows that were deleted; write it as plain Parquet"
                )
            if file.is_file() and not any(part[0] in "._" for part in names):
                yield file


def _check(given: Path, base: Path, tables: list[Path]) -> None:
    """Refuse tables that are hardly one log."""
    by_format = {_format(file): file for file in reversed(tables)}
    if len(by_format) > 1:
        one, other = sorted(by_format.values())[:2]
        raise InputError(
            f"{given}: {one.name} and {other.name} are of two formats; name the files of the log"
        )
    parts: dict[str, Path] = {}
    for file in tables:
        for part in _parts(file.relative_to(base)):
            parts.setdefault(part, file)
    if len(set(parts.values())) > 1:
        (part, file), (another, second), *_ = sorted(
            parts.items(), key=lambda each: list(SPLITS).index(each[0])
        )
        raise InputError(
            f"{given}: {file.relative_to(base)} and {second.relative_to(base)} look split; give them by "
            f"--{part} and --{another}, or name the files of the log"
        )


def _parts(file: Path) -> list[str]:
    """The parts of a split that the names of a file and its folders have."""
    words = {word.lower() for name in file.parts for word in WORDS.findall(name)}
    return [part for part, names in SPLITS.items() if words & set(names)]


def _format(file: Path) -> str:
    kind = packed.kind(file)
    return JSON[0] if kind in JSON else kind


def _partition(inside: Path) -> dict[str, str | None]:
    found = (HIVE.fullmatch(part) for part in inside.parts[:-1])
    pairs = ((unquote(each[1]), unquote(each[2])) for each in found if each)
    return {name: None if value == NO_VALUE else value for name, value in pairs}
