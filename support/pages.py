"""Pages of docs/: Markdown that people write, with marked parts that scripts fill.

A marked part stands between `<!-- table: NAME -->` and `<!-- end -->`, each on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import write_text

OPENING = re.compile(r"<!-- table: (.+?) -->\n")
MARKED = re.compile(r"(<!-- table: (.+?) -->\n)((?:(?!<!-- table: ).)*?)(<!-- end -->)", re.DOTALL)
NOT_MEASURED = "Not measured yet."
"""What a marked part says of which no record is stored"""


def marks(text: str) -> list[str]:
    """Names of the marked parts of a page, in order."""
    return OPENING.findall(text)


def filled(text: str, parts: Mapping[str, str], page: Path) -> str:
    """`text` with the marked parts replaced by `parts`, and all else as it is.

    Args:
        text: a page.
        parts: name of a mark → Markdown.
        page: named in errors.

    Raises:
        InputError: a mark without an end, one that occurs twice, one without a part, a part without a mark.
    """
    found = marks(text)
    whole = [name for _, name, _, _ in MARKED.findall(text)]
    for name in found:
        if name not in whole:
            raise InputError(f"{page}: the mark '{name}' has no <!-- end -->: add it below the table")
        if found.count(name) > 1:
            raise InputError(f"{page}: the mark '{name}' occurs twice: remove one")
        if name not in parts:
            raise InputError(
                f"{page}: no table is made for the mark '{name}': remove it, or correct its name"
            )
    for name in parts:
        if name not in found:
            raise InputError(f"{page} has no place for a table: add <!-- table: {name} --> and <!-- end -->")
    return MARKED.sub(lambda match: f"{match[1]}{_body(parts[match[2]])}{match[4]}", text)


def _body(part: str) -> str:
    # Some renderers take what follows a comment without a blank line for a part of it.
    return f"\n{part.strip()}\n\n" if part.strip() else "\n"


def fill(page: Path, parts: Mapping[str, str]) -> None:
    """Replace the marked parts of the file `page`; InputError as `filled`."""
    write_text(page, filled(page.read_text(encoding="utf-8"), parts, page))
