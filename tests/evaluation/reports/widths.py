"""How much of a page's width its tables and code take on GitHub at 1,280 pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 1012
"""Pixels of a page's text there"""
CHARACTER, CELL = 9, 27
"""Pixels of a digit of 16 px, and of a cell's padding and border"""
CODE = 8.2
"""Pixels of a character of code"""
COLUMNS = 9
CHARACTERS = 115
"""Of the cells of a main table, before any is wrapped"""


def tables(page: str) -> Iterator[list[list[str]]]:
    """The cells of each table as readers see them, links by their text."""
    for block in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\(#[^)]*\)", r"\1", block).replace("**", "").replace("\\|", "/")
        lines = [line.strip().strip("|").split("|") for line in shown.splitlines()]
        yield [[cell.strip() for cell in line] for at, line in enumerate(lines) if at != 1]


def least(table: list[list[str]]) -> int:
    """The fewest pixels of a table: cells wrap at spaces alone."""
    columns = ([len(word) for cell in column for word in cell.split()] for column in _columns(table))
    return sum(CHARACTER * max(lengths, default=0) + CELL for lengths in columns)


def characters(table: list[list[str]]) -> int:
    """Of a line whose every cell is the longest of its column."""
    return sum(max(map(len, column)) for column in _columns(table))


def check(page: str) -> None:
    """Nothing is cut, nor scrolled to the side."""
    for table in tables(page):
        assert len(table[0]) <= COLUMNS, table[0]
        assert least(table) <= WIDTH, table[0]
    for code in re.findall(r"^```sh\n(.*?)\n```$", page, flags=re.MULTILINE | re.DOTALL):
        assert max(map(len, code.splitlines())) * CODE + 32 <= WIDTH, code


def _columns(table: list[list[str]]) -> Iterator[tuple[str, ...]]:
    return zip(*table, strict=True)
