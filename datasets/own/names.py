"""What one's own dataset is called."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import files, packed

ANY = re.compile(r"\[[^\]]*\]|[*?]+")
"""What stands for anything in a pattern"""
NUMBERED = re.compile(r"[\d._ -]*(?:\w+=|(?<![a-z])part)?[\d._ -]*$", re.IGNORECASE)
"""What tells the files of a pattern or a list apart: numbers, dates, parts and values of a partition"""
TRAIN = re.compile(r"[._-]*train(?:ing)?$", re.IGNORECASE)
FALLBACK = "table"
LONGEST = 150
"""Bytes of a name that is also a folder's"""


def of(spec: DataSpec) -> tuple[str, str]:
    """Name, which is also that of a folder, and title."""
    given = spec.train or spec.interactions
    if spec.name:
        return safe(spec.name), spec.name
    if spec.train:
        name = safe(TRAIN.sub("", _stem(given[0])) or _parent(given[0]))
        return name, name
    if len(given) == 1:
        title = "DataFrame" if values.is_frame(given[0]) else _file(given[0])
        return safe(_stem(given[0]) or _parent(given[0])), title
    stems = {NUMBERED.sub("", _stem(each)) for each in given}
    name = safe(stems.pop() if len(stems) == 1 and "" not in stems else _parent(given[0]))
    return name, f"{name}, {len(given)} tables"


def safe(text: str) -> str:
    """`text` as the name of a folder."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-.") or FALLBACK
    if len(os.fsencode(name)) <= LONGEST:
        return name
    # What fits a file system, with room for what is added to it.
    return f"{name[: LONGEST // 5]}-{hashlib.blake2b(name.encode(), digest_size=6).hexdigest()}"


def _stem(given: Any) -> str:
    """The name of a table without suffixes and wildcards."""
    if values.is_frame(given):
        return "frame"
    path = Path(given)
    stem = packed.stem(path) if packed.kind(path) in files.SUFFIXES else _file(given)
    return NUMBERED.sub("", ANY.sub("", stem)) if glob.has_magic(str(given)) else stem


def _file(given: str) -> str:
    """The last part of a path; of "." the folder that it is."""
    return Path(given).name or Path(given).absolute().name


def _parent(given: Any) -> str:
    parents = [] if values.is_frame(given) else [*Path(given).absolute().parents]
    return next((each.name for each in parents if each.name and not glob.has_magic(each.name)), "")
