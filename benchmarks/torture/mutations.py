"""Seeded small changes of a file's bytes: flips, cuts, doubled parts, odd values and odd characters."""

from __future__ import annotations

import random
import re

ODD = (
    *(b"", b"0", b"-1", b"+5", b"007", b"1.5", b"1e5", b"1e400", b"nan", b"inf", b"NULL", b"None", b"true"),
    *(b"2147483647", b"9223372036854775808", b"9" * 30, b"1_000", b"1,000", b"0x10", b"2026-99-99"),
    *(b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x0c", b"\x1a", b"\x1f", b"\x85", b"\xff"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xc2\xa0", b"\xe2\x80\x8b", b"\xe2\x80\xa8", b"\xc3", b"\xd9\xa3"),
    *(b'"', b'""', b"'", b",", b";", b"|", b"::", b":", b"#", b"\\", b"{}", b"[]", b"[" * 500, b"&a [*a]"),
    *(b"!!timestamp x", b"!!python/name:os.system", b"*a", b"<<: *a", b"? [a]", b"---\n", b"%YAML 9\n"),
)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """`content` after one to five changes."""
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        content = rng.choice(CHANGES)(content, rng.randrange(len(content) + 1), rng)
    return content


def flipped(content: bytes, rng: random.Random) -> bytes:
    """`content`, which is not empty, with one bit turned."""
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _flip(content: bytes, at: int, rng: random.Random) -> bytes:
    return flipped(content, rng) if content else content


def _insert(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[:at] + rng.choice(ODD) + content[at:]


def _remove(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[:at] + content[at + rng.randrange(1, 8) :]


def _cut(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[:at]


def _repeat(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[: at + rng.randrange(1, 30)] + content[at:]


def _noise(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[:at] + rng.randbytes(rng.randrange(1, 6)) + content[at:]


def _other_value(content: bytes, at: int, rng: random.Random) -> bytes:
    parts = re.split(rb"([\s,:|]+)", content)
    parts[rng.randrange(len(parts))] = rng.choice(ODD)
    return b"".join(parts)


def _other_order(content: bytes, at: int, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


CHANGES = (_flip, _insert, _remove, _cut, _repeat, _noise, _other_value, _other_order)
