"""Dataclasses from JSON: what is there must fit the fields' types, and nothing else may be there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Made = TypeVar("Made")


class MisfitError(ValueError):
    """JSON does not fit a dataclass; the message is the place, as a.b.0."""


def parse(kind: type[Made], content: Any) -> Made:
    """An instance of the dataclass `kind`, from what `dataclasses.asdict` and JSON made of one.

    Fields may be text, numbers (finite; `float` takes whole ones too), booleans, `Any`, dataclasses, lists,
    tuples of one type, dicts with text as keys, and any of these or None. A field with a default may be
    absent.

    Raises:
        MisfitError: a field that is absent or of another type, or a key that is no field.
    """
    return _read(kind, content, "content")


def _read(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if isinstance(kind, UnionType):
        inner = next(each for each in get_args(kind) if each is not NoneType)
        return None if value is None else _read(inner, value, where)
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    origin = get_origin(kind)
    if origin is dict:
        _need(isinstance(value, dict), where)
        return {key: _read(get_args(kind)[1], each, f"{where}.{key}") for key, each in value.items()}
    if origin in (list, tuple):
        _need(isinstance(value, list), where)
        return origin(_read(get_args(kind)[0], each, f"{where}.{at}") for at, each in enumerate(value))
    _need(_is_scalar(kind, value), where)
    return value


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    _need(isinstance(value, Mapping), where)
    inside = "" if where == "content" else f"{where}."
    known = {field.name: field for field in fields(kind)}
    for key in value:
        _need(key in known, f"{inside}{key}")
    types, given = _types(kind), {}
    for name, field in known.items():
        if name in value:
            given[name] = _read(types[name], value[name], f"{inside}{name}")
        else:
            _need(_has_default(field), f"{inside}{name}")
    return kind(**given)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _is_scalar(kind: type, value: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _need(fits: bool, where: str) -> None:
    if not fits:
        raise MisfitError(where)
