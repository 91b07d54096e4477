"""What `load` is asked for: a named dataset, or one's own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from retrieval_leaderboard.datasets.own import dataset_file, opened, values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.support.errors import InputError, unknown

if TYPE_CHECKING:
    import pandas as pd

Given: TypeAlias = "str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame] | DataSpec | None"


@dataclass(frozen=True)
class Asked:
    """A dataset, and how it is split where a dataset file says so."""

    name: str
    """Of a named dataset; "" for one's own data"""
    spec: DataSpec
    split: dict[str, Any] = field(default_factory=dict)
    """As `dataset_file.read`"""


def asked(dataset: Given, own: Mapping[str, Any], names: Sequence[str]) -> Asked:
    """What `dataset` is, with `own` on top of it, by the names of `DataSpec`'s fields.

    Args:
        dataset: one of `names`; a dataset file; paths of files, folders or patterns; pandas tables; a
            `DataSpec`; or None where `own` names the tables.
        own: goes before what `dataset` says.
        names: of the named datasets.

    Raises:
        InputError: something else, a key that is no field, a value that is none of its field's, or tables
            that make no log.
    """
    more = DataSpec.of(own)
    if isinstance(dataset, list | tuple) and len(dataset) == 1:
        dataset = dataset[0]
    if isinstance(dataset, str) and dataset in names:
        return Asked(dataset, more)
    found = _own(dataset, names)
    spec = found.spec.updated(more)
    opened.check(spec)
    return Asked("", spec, found.split)


def _own(dataset: Given, names: Sequence[str]) -> Asked:
    if dataset is None:
        return Asked("", DataSpec())
    if isinstance(dataset, DataSpec):
        return Asked("", dataset)
    if isinstance(dataset, str | Path) and Path(dataset).suffix.lower() in dataset_file.SUFFIXES:
        return Asked("", *dataset_file.read(Path(dataset).expanduser()))
    tables = values.tables(dataset, "dataset")
    for each in tables:
        _check_table(each, names, alone=isinstance(dataset, str))
    return Asked("", DataSpec(interactions=tables))


def _check_table(table: Any, names: Sequence[str], alone: bool) -> None:
    """Refuse what is no table in a word that fits."""
    if values.is_frame(table):
        return
    if Path(table).suffix.lower() in dataset_file.SUFFIXES:
        raise InputError(f"{table}: a dataset file stands alone; write the other paths into it")
    if alone and not files.is_path(table) and not Path(table).is_dir():
        raise unknown("dataset", table, names)
