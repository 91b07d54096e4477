"""A text file with a JSON object on each line, read as text: no number loses a digit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.support import strict_json
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TRUTHS = {True: "true", False: "false"}


@dataclass
class Parsed:
    """The objects as columns of text; what an object lacks, or says to be null, is None."""

    lines: list[int] = field(default_factory=list)
    """Of each object"""
    columns: dict[str, list[str | None]] = field(default_factory=dict)
    nested: dict[str, int] = field(default_factory=dict)
    """Column → the first line where it holds a list or an object, which is read as its JSON"""

    def column(self, name: str) -> pd.Series:
        """A column, its index the line of each value."""
        import pandas as pd

        values = self.columns.get(name, [])
        values = values + [None] * (len(self.lines) - len(values))
        return pd.Series(values, index=self.index, dtype=object)

    @property
    def index(self) -> pd.Index:
        """The line of each object."""
        import pandas as pd

        return pd.Index(self.lines, dtype="int64")

    def add(self, line: int, row: dict[str, Any]) -> None:
        """Add an object."""
        for name, value in row.items():
            column = self.columns.setdefault(name, [])
            column += [None] * (len(self.lines) - len(column))
            if not isinstance(value, str | None):
                if isinstance(value, list | dict):
                    self.nested.setdefault(name, line)
                value = TRUTHS[value] if isinstance(value, bool) else json.dumps(value)
            column.append(value)
        self.lines.append(line)


def parse(path: Path, content: bytes) -> Parsed:
    """The objects of a file's `content`; blank lines are left out.

    Raises:
        InputError: a line that is no JSON object, or that has a key twice.
    """
    if content.lstrip().startswith(b"["):
        raise InputError(f"{path}: one JSON list; write an object a line, such as by to_json(lines=True)")
    found = Parsed()
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            found.add(number, _object(path, number, line))
    return found


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = strict_json.decode(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, line {number}: the text is not utf-8; save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number}: no JSON ({error}); write an object a line") from error
    if not isinstance(row, dict):
        raise InputError(f"{path}, line {number}: no JSON object; write an object a line")
    return row
