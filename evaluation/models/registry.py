"""Models by name: `@register("swing")` above a retriever's class is all a model needs to be found."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from retrieval_leaderboard.support.errors import unknown

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.models.retriever import Retriever

PACKAGES = ("retrieval_leaderboard.baselines", "retrieval_leaderboard.neural")
"""Whose import registers the models of the suite, in every process that asks for one."""

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""What a model may be called: it is part of the names of folders"""

_models: dict[str, type[Retriever]] = {}
_defaults: set[str] = set()
Model = TypeVar("Model", bound="type[Retriever]")


def register(name: str, *, by_default: bool = True) -> Callable[[Model], Model]:
    """Make a retriever class known to the command line as `name`: letters, digits, "_" and "-".

    Unless `by_default`, it runs where it is named, or where all models are asked for.

    Raises:
        ValueError: another name, which could be no folder of a run, or one that is taken.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"a model cannot be named '{name}': use letters, digits, _ and -")

    def add(model: Model) -> Model:
        if name in _models and not _alike(_models[name], model):
            raise ValueError(f"two models are registered as '{name}'")
        model.name = name
        _models[name] = model
        if by_default:
            _defaults.add(name)
        return model

    return add


def _alike(one: type[Retriever], other: type[Retriever]) -> bool:
    """Whether both are one class, whose file was imported again. None from outside replaces the suite's."""
    return one.__qualname__ == other.__qualname__ and _is_ours(one) == _is_ours(other)


def _is_ours(model: type[Retriever]) -> bool:
    return model.__module__.startswith(PACKAGES)


def names() -> list[str]:
    """Those of the suite's models, in order of registration."""
    return [name for name, model in registered().items() if _is_ours(model)]


def defaults() -> list[str]:
    """The names of those that run where none is named."""
    return [name for name in names() if name in _defaults]


def get(name: str) -> type[Retriever]:
    """The class registered as `name`; InputError, naming the nearest, where there is none."""
    if name not in _models and name not in registered():
        raise unknown("model", name, _models)
    return _models[name]


def registered() -> dict[str, type[Retriever]]:
    """Name → class, of the suite and of what else this process has imported."""
    for package in PACKAGES:
        importlib.import_module(package)
    return _models
