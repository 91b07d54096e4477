"""A dataset file: all that is said of one's own data, and how it is split, as YAML.

train: [2024-01.csv.gz, 2024-02.csv.gz]     # paths begin in the file's folder
test: 2024-03.csv.gz
columns: {user: session, item: sku}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.own.values import Parse
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.files import contents

SUFFIXES = (".yaml", ".yml")
SPLIT: Mapping[str, Parse] = {
    "protocol": values.text,
    "exclude_seen": values.flag,
    "split_seed": values.whole,
    "carve": values.text,
}
"""Keys beside the fields of `DataSpec`: what `load` takes under these names"""


def read(path: Path) -> tuple[DataSpec, dict[str, Any]]:
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
    return replace(spec.within(path.absolute().parent), name=spec.name or path.stem), split


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
        content = loader.construct_document(node)
    except InputError:
        raise
    except Exception as error:  # Odd dates, tags and depths are ValueErrors, AttributeErrors and more.
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    keys = [key.start_mark.line + 1 for key, _ in node.value]
    return content, dict(zip(content, keys, strict=True))


def _repeated(node: Any) -> Iterator[tuple[str, int]]:
    """The keys that stand twice in a mapping or in one inside it, of which YAML keeps the last."""
    seen = set()
    for key, value in node.value:
        if key.value in seen:
            yield str(key.value), key.start_mark.line + 1
        seen.add(str(key.value))
        if hasattr(value, "value") and value.id == "mapping":
            yield from _repeated(value)
