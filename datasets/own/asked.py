"""What `load` is asked for: a named dataset, or one's own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from retrieval_leaderboard.datasets.own import dataset_file, names, opened, values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.files import expanded

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
    place: dataset_file.Place = field(default_factory=dataset_file.Place)
    """The dataset file, and what it alone says"""

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.name or names.of(self.spec)[1]

    def updated(self, split: Mapping[str, Any]) -> Asked:
        """With what `split` says, where it says something, on top.

        Raises:
            InputError: a value that is none of its key's, or a carve of validation that is given.
        """
        said = {key: dataset_file.SPLIT[key](value, key) for key, value in split.items() if value is not None}
        whole, place = self.split | said, self.place.without(said)
        if self.spec.valid and "carve" in whole:
            with place.naming():
                raise InputError(f"--carve {whole['carve']}: the validation part is given; leave it out")
        return replace(self, split=whole, place=place)


def asked(dataset: Given, own: Mapping[str, Any], known: Sequence[str]) -> Asked:
    """What `dataset` is, with `own` on top of it, by the names of `DataSpec`'s fields.

    Args:
        dataset: one of `known`; a dataset file; paths of files, folders or patterns; pandas tables; a
            `DataSpec`; or None where `own` names the tables.
        own: goes before what `dataset` says.
        known: the named datasets.

    Raises:
        InputError: something else, a key that is no field, a value that is none of its field's, or tables
            that make no log.
    """
    if isinstance(dataset, list | tuple) and len(dataset) == 1:
        dataset = dataset[0]
    if isinstance(dataset, str) and dataset in known:
        return Asked(dataset, DataSpec.of(own))
    found = _own(dataset, known)
    spec, place = found.spec.updated(own), found.place.without(own)
    with place.naming():
        opened.check(spec)
    return replace(found, spec=spec, place=place)


def _own(dataset: Given, known: Sequence[str]) -> Asked:
    if dataset is None:
        return Asked("", DataSpec())
    if isinstance(dataset, DataSpec):
        return Asked("", dataset)
    if isinstance(dataset, str | Path) and Path(dataset).suffix.lower() in dataset_file.SUFFIXES:
        return Asked("", *dataset_file.read(expanded(dataset)))
    tables = values.tables(dataset, "dataset")
    for each in tables:
        _check_table(each, known, alone=isinstance(dataset, str))
    return Asked("", DataSpec(interactions=tables))


def _check_table(table: Any, known: Sequence[str], alone: bool) -> None:
    """Refuse what is no table in a word that fits."""
    if values.is_frame(table):
        return
    if Path(table).suffix.lower() in dataset_file.SUFFIXES:
        raise InputError(f"{table}: a dataset file stands alone; write the other paths into it")
    if alone and not files.is_path(table) and not Path(table).is_dir():
        raise unknown("dataset", table, known)
