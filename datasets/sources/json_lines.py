"""Files with an object on each line, read a block of lines at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 1 << 23
LONGEST_LINE = 1 << 27


def read(file: RawFile, types: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """Fields of all objects of a JSON lines file, null where one is missing, with progress.

    Args:
        file: an object a line.
        types: field → name of its Arrow type.

    Raises:
        InputError: the file is empty or damaged, or a line is no JSON object or has a field of another type
            (its line is named).
    """
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    for block, before in _blocks(file):
        yield from _parsed(file, block, before, schema).to_batches()


def objects(
    file: RawFile, parse: Callable[[bytes], Any] = json.loads, kind: str = "JSON"
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The line number of each object of a file, and the object, with progress.

    Args:
        file: an object a line.
        parse: makes an object of a line, or raises ValueError or SyntaxError.
        kind: of the objects, for messages.

    Raises:
        InputError: the file is empty or damaged, or a line is no object (it is named).
    """
    for block, before in _blocks(file):
        yield from _objects(file, block, before, parse, kind)


def _blocks(file: RawFile) -> Iterator[tuple[bytes, int]]:
    """Whole lines of a file, and the number of those before them."""
    before = done = 0
    rest = b""
    with (
        file.open() as (stream, total, position),
        progress.bar(f"reading {file.name}", total >> 20, "MiB") as advance,
    ):
        while read := stream.read(BLOCK_BYTES):
            block, newline, rest = (rest + read).rpartition(b"\n")
            if len(rest) > LONGEST_LINE:
                raise InputError(f"{file}, line {before + 1} does not end; get the file again")
            if newline:
                yield block, before
                before += block.count(b"\n") + 1
            advance((position() >> 20) - done)
            done = position() >> 20
        if rest:
            yield rest, before
        elif not before:
            raise InputError(f"{file} is empty: get the file again")


def _parsed(file: RawFile, block: bytes, before: int, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    reading = arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1)
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        table = arrow_json.read_json(pa.BufferReader(block), reading, parsing)
        table.validate(full=True)
    except pa.ArrowInvalid:
        return _line_by_line(file, block, before, schema)
    return table


def _line_by_line(file: RawFile, block: bytes, before: int, schema: pa.Schema) -> pa.Table:
    """As `_parsed`, for what Python's parser takes and Arrow's does not, such as half a surrogate pair."""
    import pyarrow as pa

    rows = []
    for line, found in _objects(file, block, before, json.loads, "JSON"):
        row = {name: found.get(name) for name in schema.names}
        for field in schema:
            try:
                pa.array([row[field.name]], field.type)
            except (pa.ArrowException, ValueError, TypeError) as error:
                value = f"{row[field.name]!r:.40}"
                raise InputError(
                    f"{file}, line {line}: '{field.name}' is {value}, not {field.type}; get the file again"
                ) from error
        rows.append(row)
    return pa.Table.from_pylist(rows, schema)


def _objects(
    file: RawFile, block: bytes, before: int, parse: Callable[[bytes], Any], kind: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(block.split(b"\n"), before + 1):
        if not text.strip():
            continue
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"{file}, line {line}: no {kind} object, but {text[:40]!r}; get the file again")
        yield line, found
