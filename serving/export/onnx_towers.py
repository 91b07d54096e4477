"""A two-tower model's towers as ONNX files, compared with the model before they are kept."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.neural.towers.context import codes_of, known_context
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.serving.export import queries
from retrieval_leaderboard.serving.export.towers import PADDING, ItemTower, UserTower
from retrieval_leaderboard.support.errors import InputError

ITEM_TOWER, USER_TOWER = "item_tower.onnx", "user_tower.onnx"
TOLERANCE = 1e-5
"""By how much a number may be off that of the model; where the largest is above 1, of that one"""
CHECKED_QUERIES, CHECKED_ITEMS = 64, 4096
MOST_IN_ONE_FILE = 2**30
"""Bytes of weights; more go into a file beside it, for protobuf ends at 2 GiB"""
LOUD = ("torch.onnx", "onnxscript", "onnx_ir")
"""Loggers that tell what is of no use here"""

Inputs = dict[str, npt.NDArray[np.int64]]


def write(model: Retriever, dataset: Dataset, folder: Path) -> dict[str, Any]:
    """Write both towers into `folder`; what the manifest says of each.

    Raises:
        InputError: a model without towers, one that PyTorch cannot export, or files that give other vectors
            than the model.
    """
    if not isinstance(model, TwoTower):
        raise InputError(f"{model.name} has no towers: leave --onnx out")
    item = ItemTower(model, torch.from_numpy(model.item_scale(dataset.train_valid)))
    user = UserTower(model)
    asked = _checked(dataset)
    feeds = [inputs_of(user, each) for each in asked]
    codes = np.unique(np.linspace(0, dataset.train_valid.n_items - 1, CHECKED_ITEMS).astype(np.int64))
    _export(item, {"item": codes[:2]}, folder / ITEM_TOWER)
    _export(user, feeds[0], folder / USER_TOWER)
    items = [codes, codes[:1]]
    _compare(
        folder / ITEM_TOWER, [{"item": each} for each in items], [model.encode_items()[e] for e in items]
    )
    _compare(folder / USER_TOWER, feeds, [model.encode_queries(each) for each in asked])
    return {ITEM_TOWER: _of_items(dataset), USER_TOWER: _of_users(user, dataset)}


def inputs_of(user: UserTower, asked: Queries) -> Inputs:
    """Queries as the user tower takes them."""
    found: Inputs = {"user": asked.user.astype(np.int64)}
    found["history"] = padded(asked.history)
    columns = user.towers.columns.context
    if columns is not None:
        found["context"] = codes_of(columns, asked).numpy().astype(np.int64)
    return {name: found[name] for name in user.inputs}


def padded(rows: Ragged) -> npt.NDArray[np.int64]:
    """int64[n, l]: each row at the end of its places, of which there is one at least."""
    found = np.full((len(rows), int(rows.lengths.max(initial=1))), PADDING, dtype=np.int64)
    places = found.shape[1] - rows.lengths[rows.rows()] + rows.positions()
    found[rows.rows(), places] = rows.compact()[0]
    return found


def _checked(dataset: Dataset) -> list[Queries]:
    """Queries of known users, one of them alone, of strangers, and of strangers without a history."""
    some = next(queries.blocks(dataset))
    some = some.take(np.unique(np.linspace(0, len(some) - 1, CHECKED_QUERIES).astype(np.int64)))
    strangers = replace(some, user=np.full(len(some), -1, dtype=np.int32))
    nothing = replace(strangers, history=Ragged.empty(len(some)))
    return [some, some.take(slice(0, 1)), strangers, nothing]


def _export(tower: ItemTower | UserTower, inputs: Inputs, path: Path) -> None:
    # Positions beyond those that the tower has a use for are None, in both.
    names = ["item"] if isinstance(tower, ItemTower) else ["history", "user", "context"]
    shapes = tuple(_shape(name) if name in inputs else None for name in names)
    example = tuple(_example(name, inputs[name]) if name in inputs else None for name in names)
    large = sum(each.nbytes for each in tower.state_dict().values()) > MOST_IN_ONE_FILE
    with torch.no_grad(), _quiet():
        try:
            torch.onnx.export(
                tower.eval(), example, path, input_names=[name for name in names if name in inputs],
                output_names=["vector"], dynamic_shapes=shapes, dynamo=True, external_data=large,
                verbose=False,
            )  # fmt: skip
        except torch.onnx.errors.OnnxExporterError as error:
            raise InputError(
                f"PyTorch {torch.__version__} cannot write {path.name} of these settings: "
                f"{str(error).splitlines()[0]}; leave --onnx out"
            ) from error


def _shape(name: str) -> dict[int, Any]:
    """What may vary: rows, and places of a history."""
    return dict.fromkeys([0, 1] if name == "history" else [0], torch.export.Dim.DYNAMIC)


def _example(name: str, values: npt.NDArray[np.int64]) -> Tensor:
    """Some of an input's rows; a single one, or a single place, would be taken for a constant."""
    some = torch.from_numpy(np.repeat(values[:2], 2, axis=0))
    return functional.pad(some, (2, 0), value=PADDING) if name == "history" else some


def _compare(path: Path, feeds: list[Inputs], expected: list[npt.NDArray[np.float32]]) -> None:
    """InputError where the file's vectors are not those that are expected of each of `feeds`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for feed, vectors in zip(feeds, expected, strict=True):
        (found,) = session.run(None, feed)
        gap = float(np.abs(found - vectors).max())
        if not gap <= TOLERANCE * max(1.0, float(np.abs(vectors).max())):
            raise InputError(
                f"{path.name} gives vectors that differ from the model's by {gap:.1g}, more than rounding "
                "explains: leave --onnx out, and report the settings"
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Within, the exporter does not tell how it gets on."""
    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def _of_items(dataset: Dataset) -> dict[str, Any]:
    return {
        "inputs": {"item": _input(["rows"], "codes of items, as in item_codes.parquet")},
        "outputs": {"vector": "float32 [rows, dimensions], as in item_vectors.parquet"},
    }


def _of_users(user: UserTower, dataset: Dataset) -> dict[str, Any]:
    length = f"; the newest {user.longest} count" if user.longest else ""
    about = {
        "history": _input(
            ["rows", "places"],
            "codes of items, as in item_codes.parquet: the newest in the last place, and "
            f"{PADDING} in the places before the oldest{length}",
        ),
        "user": _input(["rows"], f"codes, as in user_codes.parquet; {PADDING} for a user who is not there"),
        "context": _input(
            ["rows", "columns"],
            "when and where: of each column the code of its value, which is `first` plus its place in "
            "`values`; hours and weekdays are of UTC, from Sunday",
        ),
    }
    columns = user.towers.columns.context
    if columns is not None:
        train = dataset.train_valid
        known = known_context(train.queries(np.array([train.user[0]])))
        about["context"]["columns"] = {
            name: {"first": first, "values": known[name].vocabulary if name in known else []}
            for name, first in zip(columns.coded, columns.starts, strict=True)
        }
    return {
        "inputs": {name: about[name] for name in user.inputs},
        "outputs": {"vector": "float32 [rows, dimensions], as in user_vectors.parquet"},
    }


def _input(shape: list[str], about: str) -> dict[str, Any]:
    return {"type": "int64", "shape": shape, "about": about}
