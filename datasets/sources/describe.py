"""A source's own tables of users and items as features."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import CSV, Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.features.column import Column
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

UNKNOWN = ("", "unknown", "null", "nan")
"""Texts, in lower case, of no value"""


def table(
    files: Iterable[RawFile], key: str, columns: Iterable[str], layout: Layout = CSV, *, text_key: bool
) -> pa.Table:
    """Ids and columns of files of one shape, as text, the files one after the other.

    Args:
        files: to be read.
        key: the column of the ids.
        columns: the others, texts.
        layout: of the files.
        text_key: whether ids may be any text; else they must be whole numbers.

    Raises:
        InputError: a file of another format (file and line).
    """
    import pyarrow as pa

    types = {key: "string" if text_key else "int64"} | dict.fromkeys(columns, "string")
    batches = (batch for file in files for batch in read_columns(file, types, layout))
    return pa.Table.from_batches(
        batches, pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    )


def of_objects(
    file: RawFile,
    objects: Iterable[tuple[int, dict[str, Any]]],
    ids: npt.NDArray[np.object_],
    key: str,
    single: tuple[str, ...],
    several: tuple[str, ...],
) -> Features:
    """Fields of objects as features of `ids`, object[n] of str; what is not there is unknown.

    Args:
        file: the objects are read from.
        objects: with the line of each.
        ids: those that are described.
        key: the field of the id; of two objects of one id the first counts.
        single: fields of a text or null.
        several: fields of a list of texts or null.

    Raises:
        InputError: a field of another kind (file and line).
    """
    import pyarrow as pa

    wanted, text = set(ids), pa.string()
    types = dict.fromkeys((key, *single), text) | dict.fromkeys(several, pa.list_(text))
    rows = []
    for line, found in objects:
        row = {name: found.get(name) for name in types}
        for name, value in row.items():
            texts = value if name in several and isinstance(value, list) else [value]
            if value is not None and not (
                isinstance(value, list) == (name in several) and all(isinstance(each, str) for each in texts)
            ):
                raise InputError(f"{file}, line {line}: '{name}' is {value!r:.40}; get the file again")
        if row[key] in wanted:
            rows.append(row)
    table = pa.Table.from_pylist(rows, pa.schema(list(types.items())))
    return features(rows_of(ids, table, key), single, several)


def rows_of(ids: npt.NDArray[np.object_], described: pa.Table, key: str) -> pa.Table:
    """For each of `ids`, object[n] of str, its row of `described`: the first of its `key`, else nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = described[key].cast(pa.string()).combine_chunks()
    return described.take(pc.index_in(pa.array(ids, pa.string()), value_set=keys))


def features(described: pa.Table, single: Iterable[str], several: Iterable[str] = ()) -> Features:
    """Columns of `described`, of n rows, as features; those of `several` are lists."""
    columns: dict[str, Column] = {name: categorical(described[name]) for name in single}
    columns |= {name: multivalued(described[name]) for name in several}
    return Features(columns)


def categorical(values: pa.ChunkedArray) -> Categorical:
    """Of n texts; codes follow the order of the texts, and nulls and `UNKNOWN` are code 0."""
    return Categorical(*_encode(values))


def multivalued(lists: pa.ChunkedArray) -> Multivalued:
    """Of n lists of texts, codes as for `categorical`; a null is an empty list."""
    import pyarrow.compute as pc

    return grouped(pc.list_flatten(lists), pc.list_parent_indices(lists).to_numpy(), len(lists))


def grouped(values: pa.ChunkedArray, row: npt.NDArray[np.int64], n: int) -> Multivalued:
    """Of texts and the row of each, ascending, one of `n`; as `multivalued`, without what is unknown."""
    codes, vocabulary = _encode(values)
    known = codes > 0
    lengths = np.bincount(row[known], minlength=n)
    return Multivalued(Ragged.from_offsets(codes[known], offsets_of(lengths)), vocabulary)


def _encode(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Codes int32[n] of texts and the text of each code."""
    import pyarrow as pa

    encoded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    vocabulary = ["unknown", *sorted(text for text in texts if text.lower() not in UNKNOWN)]
    code_of = {text: code for code, text in enumerate(vocabulary)}
    codes = np.array([*(code_of.get(text, 0) for text in texts), 0], dtype=np.int32)
    return codes[encoded.indices.fill_null(len(texts)).to_numpy()], vocabulary
