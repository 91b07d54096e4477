"""Models by name: `@register("swing")` above a retriever's class is all a model needs to be found."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.errors import InputError, unknown

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.models.retriever import Retriever

PACKAGES = ("retrieval_leaderboard.baselines", "retrieval_leaderboard.neural")
"""Whose import registers the models of the suite, in every process that asks for one."""

_models: dict[str, type[Retriever]] = {}
_defaults: set[str] = set()
Model = TypeVar("Model", bound="type[Retriever]")


def register(name: str, *, by_default: bool = True) -> Callable[[Model], Model]:
    """Make a retriever class known to the command line as `name`: letters, digits, "_" and "-".

    Unless `by_default`, it runs where it is named, or where all models are asked for.

    Raises:
        ValueError: another name, which could be no folder of a run, or one that is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"a model cannot be named '{name}': use letters, digits, _ and -")

    def add(model: Model) -> Model:
        if name in _models and _models[name].__qualname__ != model.__qualname__:
            raise ValueError(f"two models are registered as '{name}'")
        model.name = name
        _models[name] = model
        if by_default:
            _defaults.add(name)
        return model

    return add


def names() -> list[str]:
    """Registered names, in order of registration."""
    return list(_registered())


def defaults() -> list[str]:
    """The names of those that run where none is named."""
    return [name for name in names() if name in _defaults]


def get(name: str) -> type[Retriever]:
    """The class registered as `name`; InputError, naming the nearest, where there is none."""
    if name not in _models and name not in _registered():
        raise unknown("model", name, _models)
    return _models[name]


def _registered() -> dict[str, type[Retriever]]:
    for package in PACKAGES:
        importlib.import_module(package)
    return _models


def load_file(spec: str) -> type[Retriever]:
    """The retriever class at `path/to/file.py:ClassName`, from outside the suite.

    Raises:
        InputError: no such file or class, a file that does not import, or a class that is no
            dataclass derived from Retriever.
    """
    path, _, class_name = spec.rpartition(":")
    if not path or not class_name.isidentifier():
        raise InputError(f"--model {spec}: give it as path/to/file.py:ClassName")
    module = _import_file(Path(path), spec)
    model = getattr(module, class_name, None)
    if model is None:
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise unknown(f"class in {path}", class_name, classes)
    _check_class(model, spec)
    if "name" not in vars(model):
        model.name = class_name
    return model


def _import_file(path: Path, spec: str) -> ModuleType:
    if not path.is_file():
        raise InputError(f"--model {spec}: there is no file {path}")
    loader = importlib.util.spec_from_file_location(f"plugin_{path.stem}", path)
    if loader is None or loader.loader is None:
        raise InputError(f"--model {spec}: {path} is not a Python file")
    module = importlib.util.module_from_spec(loader)
    _installed_first()
    # Dataclasses look their module up by name while they are being made.
    sys.modules[loader.name] = module
    try:
        loader.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"--model {spec}: {path} does not import: {type(error).__name__}: {error}"
        ) from error
    return module


def _installed_first() -> None:
    """Let installed packages come before this checkout's folders, which may have their names (datasets)."""
    ours = [entry for entry in sys.path if Path(entry).resolve() == ROOT]
    sys.path[:] = [entry for entry in sys.path if entry not in ours] + ours[:1]


def _check_class(model: object, spec: str) -> None:
    from retrieval_leaderboard.evaluation.models.retriever import Retriever

    if not (isinstance(model, type) and issubclass(model, Retriever)):
        raise InputError(
            f"--model {spec}: the class must derive from evaluation.Retriever or one of its bases"
        )
    if not is_dataclass(model) or "__dataclass_fields__" not in vars(model):
        raise InputError(f"--model {spec}: the class must be a @dataclass; its fields are its settings")
