"""The bearer token that clients may have to give (RFC 6750)."""

from __future__ import annotations

import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from starlette.types import Scope

OPEN = frozenset(("/health", "/ready"))
"""Paths that need no token: they tell what watches the process whether it works"""
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


def read(path: Path) -> bytes:
    """The token in a file; InputError where it cannot be read or holds none."""
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give a file by --token-file") from error
    if not _TOKEN.fullmatch(token):
        raise InputError(
            f"{path} holds no bearer token: write one line of letters, digits and -._~+/ into it"
        )
    return token


def admits(scope: Scope, token: bytes) -> bool:
    """Whether a request may go on: it gives the token, or asks for a path of `OPEN`."""
    if scope["path"] in OPEN:
        return True
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, credentials = given.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(credentials.strip(), token)
