"""Fitted models on disk: arrays as safetensors, everything else as JSON; nothing is unpickled."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from support import sealed
from support.errors import InputError
from support.files import atomic_file, write_json

if TYPE_CHECKING:
    from evaluation.retriever import Retriever

Model = TypeVar("Model", bound="Retriever")
WEIGHTS, STATE, RECORD = "weights.safetensors", "model.json", "run.json"
"""A fitted model, and the record of the run that made it, which knows the digests of the files beside it."""


def save(model: Retriever, folder: Path) -> None:
    """Write the model's settings and every attribute that ends in an underscore.

    Such an attribute is a NumPy array, a dict of them, a SciPy CSR array, or a number, text, list or dict
    that JSON can hold.

    Raises:
        TypeError: an attribute of another type; override `Retriever.save` for such a model.
    """
    from safetensors.numpy import save_file

    settings = {field.name: getattr(model, field.name) for field in fields(model)}
    arrays: dict[str, np.ndarray] = {}
    values: dict[str, Any] = {}
    for name, value in vars(model).items():
        if not name.endswith("_"):
            continue
        if isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value)
        elif isinstance(value, dict) and any(isinstance(each, np.ndarray) for each in value.values()):
            arrays |= {f"{name}/{key}": np.ascontiguousarray(each) for key, each in value.items()}
        elif hasattr(value, "indptr"):
            arrays |= {f"{name}.{part}": getattr(value, part) for part in ("data", "indices", "indptr")}
            values[f"{name}.shape"] = list(value.shape)
        else:
            values[name] = value
    with atomic_file(folder / WEIGHTS) as scratch, system_errors():
        save_file(arrays, scratch)
    write_json(folder / STATE, {"model": model.name, "settings": settings, "values": values})


@contextmanager
def system_errors() -> Iterator[None]:
    """Within, what safetensors raises where the system refused to write is the system's own OSError."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        if found := re.search(r"\(os error (\d+)\)", str(error)):
            raise OSError(int(found[1]), os.strerror(int(found[1]))) from error
        raise


def load(model_class: type[Model], folder: Path) -> Model:
    """The model that `save` wrote.

    Raises:
        InputError: the files are absent, damaged, of another model, or of one with other settings.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if (folder / RECORD).is_file():
            sealed.check(folder, sealed.read(folder / RECORD, {}).get("files", {}), (STATE, WEIGHTS))
        stored = json.loads((folder / STATE).read_text(encoding="utf-8"))
        arrays = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{folder} holds no readable model: {error}") from error
    if stored["model"] != model_class.name:
        raise InputError(f"{folder} holds a model '{stored['model']}', not '{model_class.name}'")
    try:
        model = model_class(**stored["settings"])
    except TypeError as error:
        raise InputError(
            f"{folder} was saved by another version of {model_class.name}, with other settings: "
            "train it again"
        ) from error
    for name, value in stored["values"].items():
        if name.endswith(".shape"):
            setattr(model, name.removesuffix(".shape"), _csr(arrays, name.removesuffix(".shape"), value))
        else:
            setattr(model, name, value)
    for path, array in arrays.items():
        name, slash, key = path.partition("/")
        if slash:
            vars(model).setdefault(name, {})[key] = array
        elif "." not in name:
            setattr(model, name, array)
    return model


def _csr(arrays: dict[str, np.ndarray], name: str, shape: list[int]) -> Any:
    from scipy.sparse import csr_array

    parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return csr_array(parts, shape=tuple(shape))
