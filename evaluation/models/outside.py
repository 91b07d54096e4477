"""Models from outside the suite: classes in a file of one's own, in a module, or of an installed package."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import ModuleType

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.models import installed, registry
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import InputError, unknown

FORMS = "FILE.py:CLASS or package.module:CLASS"
"""How a class from outside is given"""


@dataclass(frozen=True)
class Packaged:
    """A model of an installed package."""

    model: type[Retriever]
    package: str
    """The distribution that declares it"""


def packaged() -> Iterator[Packaged]:
    """Those of all installed packages; of one that cannot be used a sentence says why."""
    for entry in installed.declared():
        try:
            if entry.problem:
                raise InputError(entry.problem)
            yield Packaged(load(entry.spec, entry.spec), entry.package)
        except InputError as error:
            installed.leave_out(entry, str(error))


def named(name: str) -> type[Retriever]:
    """The class of a model of the suite or of an installed package.

    Raises:
        InputError: nothing is called so, or as `load`.
    """
    spec = installed.spec(name)
    return load(spec, f"the model '{name}' ({spec})") if spec else registry.get(name)


def load(spec: str, where: str = "") -> type[Retriever]:
    """The retriever class at `path/to/file.py:ClassName` or `package.module:ClassName`.

    A file is imported anew at each call, a module once. Modules are looked for in the working folder and
    among the installed packages, as `python -m` does. A class without a name is called as its package
    declares it, or else as in the code.

    Args:
        spec: where the class is.
        where: what asks for it, for messages.

    Raises:
        InputError: no such file, module or class, one that does not import, or a class that is no
            dataclass derived from Retriever.
    """
    where = where or f"--model {spec}"
    place, _, class_name = spec.rpartition(":")
    if not place or not class_name.isidentifier():
        raise InputError(f"{where}: give it as {FORMS}")
    module = _import_file(Path(place), where) if _is_file(place) else _import_module(place, where)
    model = getattr(module, class_name, None)
    if model is None:
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise InputError(f"{where}: {unknown(f'class in {place}', class_name, classes)}")
    _check_class(model, where)
    _name(model, spec, where)
    return model


def code(spec: str) -> str:
    """Hash of the file that the class at `spec` is written in: an edited model is another model."""
    place = spec.rpartition(":")[0]
    path = Path(place if _is_file(place) else inspect.getfile(load(spec)))
    return hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()


def _name(model: type[Retriever], spec: str, where: str) -> None:
    """Give `model` its name, where it has none, and refuse one that its package does not call it by."""
    entry = None if _is_file(spec.rpartition(":")[0]) else installed.at(spec)
    if "name" not in vars(model):
        model.name = entry.name if entry else model.__name__
    if entry and model.name != entry.name:
        raise InputError(
            f"{where}: the class is called '{model.name}', and the package {entry.package} calls it "
            f"'{entry.name}': call both alike"
        )


def _is_file(place: str) -> bool:
    """Whether `place` names a file, be it there or not, and no module."""
    return place.endswith(".py") or Path(place).is_file() or not all(map(str.isidentifier, place.split(".")))


def _import_file(path: Path, where: str) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{where}: there is no file {path}")
    # Two files may have one name, in different folders.
    digest = hashlib.blake2b(os.fsencode(path.resolve()), digest_size=6).hexdigest()
    loader = importlib.util.spec_from_file_location(f"plugin_{path.stem}_{digest}", path)
    if loader is None or loader.loader is None:
        raise InputError(f"{where}: {path} is not a Python file")
    module = importlib.util.module_from_spec(loader)
    _installed_first()
    # Dataclasses look their module up by name while they are being made.
    sys.modules[loader.name] = module
    try:
        loader.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _no_import(str(path), where, error) from error
    return module


def _import_module(name: str, where: str) -> ModuleType:
    here = Path.cwd()
    if here not in [Path(entry).resolve() for entry in sys.path]:
        sys.path.insert(0, str(here))
    _installed_first()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _no_import(name, where, error) from error
        raise InputError(
            f"{where}: there is no module {error.name} in {here}, nor is it installed here"
        ) from error
    except (Exception, SystemExit) as error:
        raise _no_import(name, where, error) from error


def _no_import(what: str, where: str, error: BaseException) -> InputError:
    return InputError(f"{where}: {what} does not import: {type(error).__name__}: {error}")


def _installed_first() -> None:
    """Let installed packages come before this checkout's folders, which may have their names (datasets)."""
    ours = [entry for entry in sys.path if Path(entry).resolve() == ROOT]
    sys.path[:] = [entry for entry in sys.path if entry not in ours] + ours[:1]


def _check_class(model: object, where: str) -> None:
    if not (isinstance(model, type) and issubclass(model, Retriever)):
        raise InputError(f"{where}: the class must derive from evaluation.Retriever or one of its bases")
    if not is_dataclass(model) or "__dataclass_fields__" not in vars(model):
        raise InputError(f"{where}: the class must be a @dataclass; its fields are its settings")
