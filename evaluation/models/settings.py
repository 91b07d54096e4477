"""A model's settings: its dataclass fields, their types checked, misspelt names refused."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, concrete_type
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import InputError, unknown

Overrides = dict[str, dict[str, Any]]
"""model name → setting → value"""
Number = TypeVar("Number", int, float)

RENAMED = {
    "neighbours": "neighbors", "neighbour_weight": "neighbor_weight", "batch_rows": "batch_size",
    "correct_popularity": "logq_correction", "kept_for": "prune_axis", "rows": "examples",
    "recompute_history": "gradient_checkpointing", "placed": "position_weighted", "position": "interaction",
}  # fmt: skip
"""Settings and values of earlier versions by what they are called now."""
GONE = {
    "project": "the mean of a history passes no matrix",
    "streaming_log_q": "the logQ correction counts all interactions",
    "accumulate": "a step has one batch; raise batch_size",
    "input_share": "half of a user's items are the history",
    "init_scale": "fresh embeddings have a standard deviation of 0.1",
    "clip_norm": "gradients are clipped to a norm of 10",
    "hard_refresh": "hard negatives are found anew every 2 epochs",
}
"""Settings of earlier versions that are none any more, and what holds instead."""


def defaults(model: type[Retriever]) -> dict[str, Any]:
    """Setting → value where nothing is given, for every field of a model's class.

    Raises:
        InputError: a field has no default.
    """
    return model.canonical(of_fields(model))


def of_fields(model: type[Retriever]) -> dict[str, Any]:
    """Setting → default value of its field."""
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
    found = dict.fromkeys(of_fields(model), "")
    for base in reversed([cls for cls in model.__mro__ if issubclass(cls, Retriever)]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        for line, below in pairwise(tree.body[0].body):  # type: ignore[attr-defined]
            match line, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return {name: found[name] for name in of_fields(model)}


def resolve(model: type[Retriever], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """As `read`, and `model` can be built with them.

    Raises:
        InputError: as `read`, or values that the class refuses.
    """
    settings = read(model, given, where)
    build(model, settings)
    return settings


def read(model: type[Retriever], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every setting of `model`: those given, checked against the fields' types, else defaults.

    Args:
        model: whose settings.
        given: setting → value; a str is read as the field's type.
        where: what the values came from, for messages: "--set" or a file.

    Raises:
        InputError: an unknown setting (the nearest is named), or a value of another type.
    """
    settings = of_fields(model)
    types = get_type_hints(model)
    for key, value in given.items():
        if key not in settings:
            raise _unknown_setting(model, key, settings, where)
        settings[key] = _read(value, types[key], f"{where}: {model.name}.{key}")
    return model.canonical(settings)


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


def concrete(value: Number | Auto) -> Number:
    """`value`, of a model whose settings are resolved."""
    assert value != AUTO
    return value


def _unknown_setting(model: type[Retriever], key: str, known: Iterable[str], where: str) -> InputError:
    if RENAMED.get(key, "") in known:
        return InputError(f"{where}: {model.name}.{key} is called {RENAMED[key]} now")
    if key in GONE:
        return InputError(f"{where}: {model.name}.{key} is no setting any more: {GONE[key]}")
    return unknown(f"setting of {model.name} in {where}", key, known)


def _read(value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        return _choice(value, get_args(kind), where)
    number = concrete_type(kind)
    if number not in _READERS:
        raise InputError(f"{where}: a setting of type {kind} cannot be given from outside")
    if number is not kind and value == AUTO:
        return value
    read, expected = _READERS[number]
    try:
        return read(value)
    except (ValueError, TypeError, KeyError):
        or_auto = "" if number is kind else ", or auto"
        raise InputError(f"{where}={value}: it must be {expected}{or_auto}") from None


def _choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    if value in choices:
        return value
    if isinstance(value, str) and RENAMED.get(value) in choices:
        raise InputError(f"{where}: {value} is called {RENAMED[value]} now")
    raise unknown(f"value of {where}", str(value), [str(choice) for choice in choices])


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
