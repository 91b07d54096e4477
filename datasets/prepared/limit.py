"""A limit of memory: how it is written, and what is said where none was given and all may not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
GROWTH = {".parquet": 14, ".gz": 28, ".zst": 28, ".zip": 28}
OF_TEXT = 7
"""Bytes of memory that a byte of a file comes to until it is split: 216 of 30 in a row of text, 111 of 8 in a
row of Parquet; packed text is a quarter of its size"""
PSEUDO = ("tmpfs", "ramfs")
MOUNTS = Path("/proc/self/mounts")


def parse(text: str | int | None) -> int | None:
    """Bytes of "6GB", "500MB" or "4GiB", or a number of bytes; None for none.

    Raises:
        InputError: something else.
    """
    if text is None or (isinstance(text, int) and not isinstance(text, bool) and text > 0):
        return text
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([MGT]i?B)\s*", str(text), re.IGNORECASE)
    unit = UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None:
        raise InputError(f"--memory: '{text}' is no size; give one such as 6GB or 500MB")
    return int(float(found[1]) * unit)


def size(memory: int) -> str:
    """In whole megabytes, no fewer than those bytes, as `parse` reads them."""
    return f"{-(-memory // UNITS['MB'])}MB"


def proposal(name: str, files: Iterable[Path]) -> str:
    """A sentence where reading `files` in memory may take more than is free; else ""."""
    need = sum(path.stat().st_size * GROWTH.get(path.suffix.lower(), OF_TEXT) for path in files)
    free = memory.available()
    if need <= free:
        return ""
    return (
        f"{name} may take {need / 1e9:.0f} GB of memory, and {free / 1e9:.0f} GB are free: "
        f"--memory {max(1, int(free * 0.5 / 1e9))}GB prepares it on disk within that limit"
    )


def in_memory(folder: Path) -> str:
    """A sentence where what is written to `folder` stays in memory; else ""."""
    try:
        lines = [line.split() for line in MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ""
    around = [words for words in lines if folder.resolve().is_relative_to(words[1])]
    nearest = max(around, key=lambda words: len(words[1]), default=None)
    if nearest is None or nearest[2] not in PSEUDO:
        return ""
    return f"{folder} lies in memory ({nearest[2]}): set RETRIEVAL_CACHE to a folder on a disk for --memory"
