"""A model's settings: its dataclass fields, their types checked, misspelt names refused."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin, get_type_hints

from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import InputError, unknown

Overrides = dict[str, dict[str, Any]]
"""model name → setting → value"""


def defaults(model: type[Retriever]) -> dict[str, Any]:
    """Setting → default value of every field of a model's class.

    Raises:
        InputError: a field has no default.
    """
    found = {}
    for field in fields(model):
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
        else:
            raise InputError(f"model {model.name}: the setting '{field.name}' needs a default value")
    return found


def documentation(model: type[Retriever]) -> dict[str, str]:
    """Setting → the docstring under its field in one line, "" where there is none."""
    found = dict.fromkeys(defaults(model), "")
    for base in reversed([cls for cls in model.__mro__ if issubclass(cls, Retriever)]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        for line, below in pairwise(tree.body[0].body):  # type: ignore[attr-defined]
            match line, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return {name: found[name] for name in defaults(model)}


def resolve(model: type[Retriever], chosen: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every setting of `model`: the chosen values, checked against the fields' types, else defaults.

    Args:
        model: whose settings.
        chosen: setting → value; a str is read as the field's type.
        where: what the values came from, for messages: "--set" or a file.

    Raises:
        InputError: an unknown setting (the nearest is named), or a value of another type.
    """
    settings = defaults(model)
    types = get_type_hints(model)
    for key, value in chosen.items():
        if key not in settings:
            raise unknown(f"setting of {model.name} in {where}", key, settings)
        settings[key] = _read(value, types[key], f"{where}: {model.name}.{key}")
    build(model, settings)
    return settings


def build(model: type[Retriever], settings: Mapping[str, Any]) -> Retriever:
    """An instance of `model` with these settings; the class checks their values."""
    return model(**settings)


def parse_assignments(assignments: Iterable[str]) -> Overrides:
    """What `--set model.key=value` options say.

    Raises:
        InputError: an option of another form.
    """
    overrides: Overrides = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        model, dot, key = name.partition(".")
        if not (equals and dot and model and key):
            raise InputError(f"--set {assignment}: give it as model.setting=value")
        overrides.setdefault(model, {})[key] = value
    return overrides


def _read(value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise unknown(f"value of {where}", str(value), [str(choice) for choice in get_args(kind)])
        return value
    if kind not in _READERS:
        raise InputError(f"{where}: a setting of type {kind} cannot be given from outside")
    read, expected = _READERS[kind]
    try:
        return read(value)
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{where}={value}: it must be {expected}") from None


def _bool(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _int(value: Any) -> int:
    return int(str(value))


def _float(value: Any) -> float:
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError
    return number


_READERS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    bool: (_bool, "true or false"),
    int: (_int, "a whole number"),
    float: (_float, "a number"),
    str: (str, "text"),
}
