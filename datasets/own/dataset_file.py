"""A dataset file: all that is said of one's own data, and how it is split, as YAML.

train: [2024-01.csv.gz, 2024-02.csv.gz]     # paths begin in the file's folder
test: 2024-03.csv.gz
columns: {user: session, item: sku}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.own.values import Parse
from retrieval_leaderboard.support.errors import InputError, not_yaml, unknown
from retrieval_leaderboard.support.storage.files import contents

SUFFIXES = (".yaml", ".yml")
MERGE = "<<"
"""YAML's key for what another mapping says"""
SPLIT: Mapping[str, Parse] = {
    "protocol": values.text,
    "exclude_seen": values.flag,
    "split_seed": values.whole,
    "carve": values.text,
    "ties": values.text,
}
"""Keys beside the fields of `DataSpec`: what `load` takes under these names"""


@dataclass(frozen=True)
class Place:
    """A dataset file, and where it says what; by default there is none."""

    path: Path = Path()
    lines: Mapping[str, int] = field(default_factory=dict)
    """Key → line"""

    def without(self, keys: Iterable[str]) -> Self:
        """But for what is said elsewhere."""
        return replace(self, lines={key: line for key, line in self.lines.items() if key not in keys})

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Within, an InputError about what the file says begins with the file, and the line of the key."""
        try:
            yield
        except InputError as error:
            # A key is called as its option is, those of the split also as a word.
            found = {key: re.search(_called(key), str(error)) for key in self.lines}
            if not any(found.values()):
                raise
            first = min((match.start(), key) for key, match in found.items() if match)[1]
            raise InputError(f"{self.path}, line {self.lines[first]}: {error}") from error


def _called(key: str) -> str:
    words = key.replace("_", "[ -]")
    return rf"(?<![\w-])(?:--)?{words}(?![\w-])" if key in SPLIT else rf"--{words}(?![\w-])"


def read(path: Path) -> tuple[DataSpec, dict[str, Any], Place]:
    """What a file says of the data, its paths absolute, and of the split; the data has its name by default.

    Raises:
        InputError: no such file, no YAML mapping, an unknown key, one that is given twice, or a value that
            is none of its key's (file and line).
    """
    spec, split = DataSpec(), {}
    names = [each.name for each in fields(DataSpec)]
    content, lines = _content(path)
    for key, value in content.items():
        where = f"{path}, line {lines[key]}"
        if key in SPLIT:
            split[key] = SPLIT[key](value, f"{where}, {key}")
        elif key in names:
            spec = spec.updated({key: value}, where)
        else:
            raise unknown(f"key in {where}:", key, [*names, *SPLIT])
    spec = replace(spec.within(path.absolute().parent), name=spec.name or path.stem)
    return spec, split, Place(path, lines)


def _content(path: Path) -> tuple[dict[Any, Any], dict[Any, int]]:
    """Key → value, and key → line."""
    import yaml

    try:
        loader = yaml.SafeLoader(contents(path).decode())
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise InputError(f"{path} is no mapping; write lines such as 'interactions: log.csv'")
        for twice, line in _repeated(node):
            raise InputError(f"{path}, line {line}: {twice} is given twice; leave one out")
        keys = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        if MERGE in keys:
            raise InputError(f"{path}, line {keys[MERGE]}: '{MERGE}' is not read; write the keys themselves")
        content = loader.construct_document(node)
    except InputError:
        raise
    except Exception as error:  # Odd dates, tags and depths are ValueErrors, AttributeErrors and more.
        raise not_yaml(path, error) from error
    return content, dict(zip(content, keys.values(), strict=True))


def _repeated(node: Any) -> Iterator[tuple[str, int]]:
    """The keys that stand twice in a mapping or in one inside it, of which YAML keeps the last."""
    seen = set()
    for key, value in node.value:
        if key.value in seen:
            yield str(key.value), key.start_mark.line + 1
        seen.add(str(key.value))
        if hasattr(value, "value") and value.id == "mapping":
            yield from _repeated(value)
