"""Models of installed packages: entry points of the group `retrieval_leaderboard.models`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, unknown

GROUP = "retrieval_leaderboard.models"


@dataclass(frozen=True)
class Declared:
    """An entry point, whose module is not imported yet."""

    name: str
    spec: str
    """ "package.module:ClassName" """
    package: str
    """The distribution that declares it"""
    problem: str = ""
    """Why it cannot be used, "" where nothing speaks against it"""

    def __str__(self) -> str:
        return f"the model '{self.name}' of the package {self.package}"


def declared() -> list[Declared]:
    """All entry points of the group, by name, those with a problem too."""
    found = _entries(tuple(sys.path))
    often = Counter(each.name for each in found)
    return [_declared(each, often[each.name]) for each in found]


def spec(name: str) -> str:
    """Module and class of the installed model `name`; "" for one of the suite or of this process.

    Raises:
        InputError: nothing is called so, or what a package declares so cannot be used.
    """
    found = {each.name: each for each in declared()}
    if name not in found:
        if name not in registry.registered():
            raise unknown("model", name, [*registry.names(), *found])
        return ""
    if name in registry.names():
        leave_out(found[name], found[name].problem)
        return ""
    if found[name].problem:
        raise InputError(f"{found[name]} cannot be used: {found[name].problem}")
    return found[name].spec


def at(place: str) -> Declared | None:
    """The entry point whose module and class are `place`, where there is one."""
    return next((each for each in declared() if each.spec == place and not each.problem), None)


def leave_out(model: Declared, why: str) -> None:
    """Say, once, that a declared model is not offered."""
    progress.warn_once(f"{model} is left out: {why}")


@cache
def _entries(_path: tuple[str, ...]) -> list[EntryPoint]:
    """By name, read once for each path: every model that is named asks for them."""
    return sorted(entry_points(group=GROUP), key=lambda each: each.name)


def _declared(entry: EntryPoint, often: int) -> Declared:
    package = entry.dist.name if entry.dist else "unknown"
    place = entry.value.partition("[")[0].strip()  # An extra of the package may follow.
    return Declared(entry.name, place, package, _problem(entry.name, place, often))


def _problem(name: str, place: str, often: int) -> str:
    if name in registry.names():
        return "the suite has a model of that name; the package must choose another one"
    if often > 1:
        return "another package declares that name, too; uninstall one of them, or use --model MODULE:CLASS"
    if not registry.NAME.fullmatch(name):
        return "use letters, digits, _ and - for its name"
    module, _, class_name = place.rpartition(":")
    is_class = all(map(str.isidentifier, [class_name, *module.split(".")]))
    return "" if is_class else f"'{place}' is not of the form package.module:CLASS"
