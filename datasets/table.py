"""A user's own interactions: one file of .csv, .tsv, .parquet or RecBole's .inter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from datasets import delimited
from datasets.log import Log
from support.errors import InputError, unknown

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}
SUFFIXES = (*SEPARATORS, ".parquet")

NAMES = {
    "user": ("user", "user_id", "userid", "uid"),
    "item": ("item", "item_id", "itemid", "iid", "movie_id", "movieid", "product_id", "productid"),
    "timestamp": ("timestamp", "time", "ts", "time_stamp", "unix_time"),
    "rating": ("rating", "ratings", "score", "stars"),
}
"""role → the column names it is known by, whatever their case and RecBole's `:token` or `:float`."""


def parse_columns(text: str) -> dict[str, str]:
    """Role → column name, from "user=NAME,item=NAME".

    Raises:
        InputError: text of another form, or another role.
    """
    pairs = dict(part.partition("=")[::2] for part in text.split(","))
    for role, name in pairs.items():
        if role not in NAMES or not name:
            raise InputError(f"--columns '{text}': give it as user=NAME,item=NAME, of {', '.join(NAMES)}")
    return pairs


def load(path: Path, columns: dict[str, str]) -> Log:
    """Read a table of interactions.

    Args:
        path: the file, with a header; .inter and .tsv are separated by tabs. The dataset takes its name.
        columns: role ("user", "item", "timestamp", "rating") → name of its column; what is not
            named is looked for under `NAMES`. Ids are any text; timestamps unix seconds.

    Raises:
        InputError: no such file, an empty one, a column that is not there, a missing id or
            something that is no number among timestamps or ratings (file and line).
    """
    for role in columns:
        if role not in NAMES:
            raise unknown("column role", role, NAMES)
    frame = _read(path)
    if not len(frame):
        raise InputError(f"{path}: the file has a header and no rows")
    found = {role: _find(path, frame, role, columns.get(role)) for role in NAMES}
    user_ids, user = _codes(delimited.text(path, frame, found["user"] or ""))
    item_ids, item = _codes(delimited.text(path, frame, found["item"] or ""))
    timestamp, rating = found["timestamp"], found["rating"]
    return Log(
        name=safe_name(path.stem),
        user=user,
        item=item,
        user_ids=user_ids,
        item_ids=item_ids,
        timestamp=None if timestamp is None else _seconds(path, frame, timestamp),
        rating=None if rating is None else delimited.numbers(path, frame, rating).astype(np.float32),
        title=path.name,
    )


def safe_name(text: str) -> str:
    """`text` as the name of a folder."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "table"


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: a file of interactions ends in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    return delimited.read(path, SEPARATORS[path.suffix.lower()], quoted=path.suffix.lower() != ".inter")


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path, engine="pyarrow").reset_index(drop=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error}); write it again") from error
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def _find(path: Path, frame: pd.DataFrame, role: str, name: str | None) -> str | None:
    """The column of a role: the one named, else the first of the known names; None for an optional one."""
    plain = {str(column).split(":")[0].strip().lower(): str(column) for column in reversed(frame.columns)}
    if name is not None:
        if name in frame.columns:
            return name
        if name.lower() in plain:
            return plain[name.lower()]
        raise InputError(f"{path}: there is no column '{name}' for the {role}; it has {_list(frame)}")
    for known in NAMES[role]:
        if known in plain:
            return plain[known]
    if role in ("user", "item"):
        raise InputError(
            f"{path}: no column for the {role}: looked for {', '.join(NAMES[role])}; it has {_list(frame)}; "
            f"name the right one as {role}"
        )
    return None


def _list(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame.columns))


def _codes(raw: pd.Series) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32]]:
    """Sorted distinct ids as text, and the code of each row."""
    import pandas as pd

    codes, ids = pd.factorize(raw, sort=True)
    return np.asarray(ids, dtype=object), codes.astype(np.int32)


def _seconds(path: Path, frame: pd.DataFrame, column: str) -> npt.NDArray[np.int64]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(frame[column]):
        since_epoch = pd.to_datetime(frame[column], utc=True) - pd.Timestamp(0, tz="UTC")
        frame = frame.assign(**{column: since_epoch.dt.total_seconds()})
    return delimited.integers(path, frame, column)
