"""Columns of Arrow tables in Arrow's own types: no integer becomes a float."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def series(table: pa.Table, name: str) -> pd.Series:
    """A column, of a `pandas.ArrowDtype`, indexed by row from 1.

    Dictionaries are resolved, UUIDs are text, and pandas' periods are their start.
    """
    import pandas as pd

    values = pd.Series(pd.arrays.ArrowExtensionArray(_plain(table, name)))
    values.index = rows(len(values))
    return values


def rows(count: int) -> pd.RangeIndex:
    """The index of a table of `count` rows."""
    import pandas as pd

    return pd.RangeIndex(1, count + 1, name="row")


def one_type(columns: list[pd.Series]) -> list[pd.Series]:
    """Columns of several files as one type that loses nothing.

    Raises:
        TypeError, pyarrow.ArrowException: there is none.
    """
    import pandas as pd
    import pyarrow as pa

    if not any(hasattr(each.dtype, "pyarrow_dtype") for each in columns):
        return columns  # Text of text files, which stays what it is.
    kinds = list(dict.fromkeys(kind for each in columns if (kind := type_of(each)) != pa.null()))
    if len(kinds) > 1:
        for family in (pa.types.is_integer, _is_text, _is_binary, _is_time):
            if all(map(family, kinds)):
                kinds = [_widest(kinds)]
                break
        else:
            if not all(pa.types.is_integer(kind) or _is_text(kind) for kind in kinds):
                raise TypeError(kinds)
            kinds = [pa.string()]  # Whole numbers are their digits, as in a text file.
    if not kinds or all(type_of(each) == kinds[0] for each in columns):
        return columns
    return [each.astype(pd.ArrowDtype(kinds[0])) for each in columns]


def type_of(values: pd.Series) -> Any:
    """The Arrow type; that of text for a column of text that is none."""
    import pyarrow as pa

    if (kind := getattr(values.dtype, "pyarrow_dtype", None)) is not None:
        return kind
    return pa.null() if values.isna().all() else pa.string()


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_time(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_timestamp(kind) and kind.tz is None


def _widest(kinds: list[Any]) -> Any:
    """The type of one family that holds all of `kinds`."""
    import pyarrow as pa

    if all(map(_is_text, kinds)):
        return pa.large_string()
    if all(map(_is_binary, kinds)):
        return pa.large_binary()
    if all(map(_is_time, kinds)):
        return pa.timestamp("ns")
    if all(map(pa.types.is_unsigned_integer, kinds)):
        return pa.uint64()
    if pa.uint64() in kinds:
        raise TypeError(kinds)
    return pa.int64()


def _plain(table: pa.Table, name: str) -> Any:
    """The column without extension types, dictionaries and views."""
    import pyarrow as pa

    column, field = table.column(name), table.schema.field(name)
    kind: Any = field.type
    extension = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    about = (field.metadata or {}).get(b"ARROW:extension:metadata", b"")
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid":
        return pa.chunked_array([[value and str(value) for value in column.to_pylist()]], pa.string())
    if isinstance(kind, pa.ExtensionType):
        extension, about = kind.extension_name, kind.__arrow_ext_serialize__()
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
    if extension == "pandas.period":
        column = _starts(column, json.loads(about)["freq"])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # Arrow computes little with views.
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    if pa.types.is_binary_view(column.type):
        column = column.cast(pa.large_binary())
    return column


def _starts(ordinals: Any, freq: str) -> Any:
    """The first moment of each period, given as numbers of periods since 1970."""
    import pandas as pd
    import pyarrow as pa

    numbers = pd.Series(ordinals.to_pandas(types_mapper=pd.ArrowDtype))
    known = numbers.dropna()
    periods: Any = pd.PeriodIndex  # Its types do not know from_ordinals.
    starts = periods.from_ordinals(known.to_numpy(dtype="int64"), freq=freq).to_timestamp(how="start")
    return pa.chunked_array([pa.array(pd.Series(starts, index=known.index).reindex(numbers.index))])
