"""Fitted models on disk: arrays as safetensors, everything else as JSON; nothing is unpickled."""

from __future__ import annotations

import json
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums, mapped_tensors, pages, sealed
from retrieval_leaderboard.support.storage.files import atomic_file, write_json


class Saved(Protocol):
    """A dataclass with a name: what saving needs to know of a model."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Model = TypeVar("Model", bound=Saved)
WEIGHTS, STATE, RECORD = "weights.safetensors", "model.json", "run.json"
"""A fitted model, and the record of the run that made it, which knows the digests of the files beside it."""
STORABLE = {"bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
              "float16", "float32", "float64"}  # fmt: skip
MAY_BE = (
    "what ends in an underscore may be a NumPy array of numbers or booleans, a dict from text to such "
    "arrays, a SciPy CSR array, or a number, text, list or dict with text as keys that JSON can hold"
)


def save(model: Saved, folder: Path) -> None:
    """Write the model's settings and every attribute that ends in an underscore.

    Such an attribute is a NumPy array of numbers or booleans, a dict from text to such arrays, a SciPy CSR
    array, or a number, text, list or dict with text as keys that JSON can hold.

    Raises:
        TypeError: an attribute of another type, which the message names; override `Retriever.save` for
            such a model.
    """
    from safetensors.numpy import save_file

    settings = {field.name: getattr(model, field.name) for field in fields(model)}
    arrays: dict[str, np.ndarray] = {}
    values: dict[str, Any] = {}
    for name, value in vars(model).items():
        if not name.endswith("_"):
            continue
        if isinstance(value, np.ndarray):
            arrays[name] = _storable(name, value)
        elif isinstance(value, dict) and any(isinstance(each, np.ndarray) for each in value.values()):
            arrays |= {f"{name}/{key}": _storable(f"{name}[{key!r}]", each) for key, each in value.items()}
            if not all(isinstance(key, str) for key in value):
                raise _unstorable(name, "its keys are not all text")
        elif getattr(value, "format", None) == "csr":
            arrays |= {f"{name}.{part}": getattr(value, part) for part in ("data", "indices", "indptr")}
            values[f"{name}.shape"] = list(value.shape)
        else:
            values[name] = _as_json(name, value)
    with atomic_file(folder / WEIGHTS) as scratch:
        save_file(arrays, scratch)
    write_json(folder / STATE, {"model": model.name, "settings": settings, "values": values})


def _storable(name: str, value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise _unstorable(name, f"it is {_type(value)} among arrays")
    if value.dtype.name not in STORABLE:
        raise _unstorable(name, f"it is an array of {value.dtype.name}")
    return np.ascontiguousarray(value)


def _as_json(name: str, value: Any) -> Any:
    """A value that JSON can hold."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _unstorable(name, f"it is {_type(value)}: {error}") from error
    if not _has_text_keys(value):
        raise _unstorable(name, "JSON would give its keys back as text")
    return value


def _has_text_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and _has_text_keys(list(value.values()))
    return not isinstance(value, list | tuple) or all(map(_has_text_keys, value))


def _type(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _unstorable(name: str, why: str) -> TypeError:
    return TypeError(f"self.{name} cannot be saved, {why}; {MAY_BE}")


def load(model_class: type[Model], folder: Path) -> Model:
    """The model that `save` wrote.

    Raises:
        InputError: the files are absent, damaged, of another model, or of one with other settings.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if (folder / RECORD).is_file():
            checksums.check(folder, sealed.read(folder / RECORD).get("files", {}), (STATE, WEIGHTS))
        stored = json.loads((folder / STATE).read_text(encoding="utf-8"))
        arrays = (mapped_tensors.load if pages.are_shared() else load_file)(folder / WEIGHTS)
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


def values(folder: Path) -> dict[str, Any]:
    """What `save` wrote beside arrays: attributes that JSON can hold."""
    found: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))["values"]
    return found


def _csr(arrays: dict[str, np.ndarray], name: str, shape: list[int]) -> Any:
    from scipy.sparse import csr_array

    parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return csr_array(parts, shape=tuple(shape))
