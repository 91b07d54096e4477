"""From the three official files to coded clicks and features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, read_columns
from retrieval_leaderboard.datasets.features import Categorical, Features, Numeric
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

RAW_SAMPLE, AD_FEATURE, USER_PROFILE = "raw_sample.csv", "ad_feature.csv", "user_profile.csv"
FILES = (RAW_SAMPLE, AD_FEATURE, USER_PROFILE)
USER_COLUMNS = (
    "cms_segid",
    "cms_group_id",
    "final_gender_code",
    "age_level",
    "pvalue_level",
    "shopping_level",
    "occupation",
    "new_user_class_level",
)
ITEM_COLUMNS = ("cate_id", "campaign_id", "customer", "brand")
NUMERIC_COLUMNS = ("price",)
PLACEMENT = "pid"
NO_VALUE = "unknown"

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parsed:
    """Everything the adapter keeps of the files."""

    impressions: int
    """Rows of raw_sample, clicked or not."""
    user: npt.NDArray[np.int32]
    """int32[clicks]: codes, in the order of the file"""
    item: npt.NDArray[np.int32]
    """int32[clicks]"""
    timestamp: npt.NDArray[np.int64]
    """int64[clicks], unix seconds"""
    user_ids: npt.NDArray[np.int64]
    """int64[users], ascending: raw ids of the clicking users"""
    item_ids: npt.NDArray[np.int64]
    """int64[items], ascending: raw ids of the ads of ad_feature, and of clicked ones that it lacks"""
    listed: npt.NDArray[np.bool_]
    """bool[items]: whether ad_feature has the ad"""
    user_features: Features
    item_features: Features
    context: Features
    """row i: the placement of click i"""


def parse(sources: dict[str, RawFile]) -> Parsed:
    """Read the clicks (clk = 1) and what is known of their users and ads; the other rows are counted.

    Args:
        sources: Name of each of `FILES` → where it is.

    Raises:
        InputError: As `read_columns`, or there is no click.
    """
    impressions, user, item, timestamp, placement = _clicks(sources[RAW_SAMPLE])
    user_ids, users = np.unique(user, return_inverse=True)
    ads = _table(sources[AD_FEATURE], "adgroup_id", ITEM_COLUMNS, NUMERIC_COLUMNS)
    profiles = _table(sources[USER_PROFILE], "userid", USER_COLUMNS, (), user_ids)
    listed = ads["adgroup_id"].to_numpy()
    item_ids = np.union1d(listed, item)
    return Parsed(
        impressions,
        users.astype(np.int32),
        np.searchsorted(item_ids, item).astype(np.int32),
        timestamp,
        user_ids,
        item_ids,
        np.isin(item_ids, listed),
        _features(profiles, user_ids),
        _features(ads, item_ids),
        placement,
    )


def _clicks(source: RawFile) -> tuple[int, Ids, Ids, Ids, Features]:
    """Impressions in all; user, ad, second and placement of each click."""
    import pyarrow as pa

    kept = ("user", "adgroup_id", "time_stamp")
    impressions, parts, placements = 0, [], []
    for batch in read_columns(source, dict.fromkeys((*kept, "clk"), "int64") | {PLACEMENT: "string"}):
        impressions += len(batch)
        clicked = batch.column("clk").to_numpy() == 1
        parts.append(np.stack([batch.column(name).to_numpy()[clicked] for name in kept]))  # (3, clicks)
        placements.append(batch.column(PLACEMENT).filter(pa.array(clicked)))
    user, item, timestamp = np.concatenate(parts, axis=1)
    if not len(user):
        raise InputError(f"{source} has no row with clk = 1: clicks are the interactions, get the file again")
    placement = _codes(pa.chunked_array(placements), np.arange(len(user)), len(user))
    return impressions, user, item, timestamp, Features({PLACEMENT: placement})


def _table(
    source: RawFile,
    key: str,
    categorical: tuple[str, ...],
    numeric: tuple[str, ...],
    ids: Ids | None = None,
) -> pa.Table:
    """The columns of a file of features, `key` first: all rows, or those of `ids`, which ascend."""
    import pyarrow as pa

    types = {key: "int64"} | dict.fromkeys(categorical, "string") | dict.fromkeys(numeric, "double")
    batches = read_columns(source, types)
    if ids is not None:
        batches = (batch.filter(pa.array(_among(batch, key, ids))) for batch in batches)
    return pa.Table.from_batches(batches)


def _features(table: pa.Table, ids: Ids) -> Features:
    """Features of `ids` (ascending), from a table with their ids first; the first of several rows counts."""
    import pyarrow as pa

    known, row = np.unique(table.column(0).to_numpy(), return_index=True)
    place = np.searchsorted(ids, known)  # (known ids,)
    columns = {name: table.column(name).take(row) for name in table.column_names[1:]}
    read = {
        name: _numbers if pa.types.is_floating(values.type) else _codes for name, values in columns.items()
    }
    return Features({name: read[name](values, place, len(ids)) for name, values in columns.items()})


def _among(batch: pa.RecordBatch, key: str, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    found = batch.column(key).to_numpy()
    return ids[np.minimum(np.searchsorted(ids, found), len(ids) - 1)] == found


def _codes(values: pa.ChunkedArray, place: npt.NDArray[np.int64], n: int) -> Categorical:
    """The codes of n rows, 0 where there is no value; the vocabulary is in numeric order."""
    encoded = values.combine_chunks().dictionary_encode()  # null stays null
    raw = encoded.dictionary.to_pylist()
    vocabulary = sorted(raw, key=lambda value: (len(value), value))
    rank = {value: code for code, value in enumerate(vocabulary, start=1)}
    code_of = np.array([rank[value] for value in raw] + [0], dtype=np.int32)  # the last for null
    codes = np.zeros(n, dtype=np.int32)
    codes[place] = code_of[encoded.indices.fill_null(len(raw)).to_numpy(zero_copy_only=False)]
    return Categorical(codes, [NO_VALUE, *vocabulary])


def _numbers(values: pa.ChunkedArray, place: npt.NDArray[np.int64], n: int) -> Numeric:
    """The numbers of n rows, NaN where there is no number, or one beyond float32."""
    numbers = np.full(n, np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):
        raw = values.to_numpy().astype(np.float32)
    numbers[place] = np.where(np.isfinite(raw), raw, np.nan)
    return Numeric(numbers)
