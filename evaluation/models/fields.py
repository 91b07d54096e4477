"""A setting's facets beside the setting: its default, what it may be, and the values worth trying."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import Field, field, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from retrieval_leaderboard.support.errors import InputError, unknown

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""The value of a setting that a rule resolves"""
_BOUNDS = {
    "at_least": (operator.ge, "{} or more"),
    "above": (operator.gt, "more than {}"),
    "at_most": (operator.le, "no more than {}"),
    "below": (operator.lt, "less than {}"),
}
"""Name of a bound → how a value compares with it, and in words"""


def setting(
    default: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    search: Any = None,
) -> Any:
    """A field of a model's dataclass; the docstring under it is its help.

    Args:
        default: its value where nothing else is given.
        at_least, above, at_most, below: the bounds of a number; a default outside of them is taken too, such
            as a 0 that stands for none.
        search: values worth trying, as in `Retriever.search_space`; None leaves it out of searches.
    """
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return field(default=default, metadata={"bounds": given, "search": search})


def search_space(model: type) -> dict[str, Any]:
    """Setting → values worth trying: those beside the fields, and those of the class's `search_space`."""
    beside = {each.name: each.metadata.get("search") for each in fields(model)}
    own: Mapping[str, Any] = getattr(model, "search_space", {})
    return {name: values for name, values in beside.items() if values is not None} | dict(own)


def concrete_type(kind: Any) -> Any:
    """The type of a setting's values but for "auto"."""
    if get_origin(kind) in (Union, UnionType):
        rest = [each for each in get_args(kind) if each != Auto]
        return rest[0] if len(rest) == 1 else kind
    return kind


def check(model: Any) -> None:
    """Refuse values that are none of a setting's choices, or outside its bounds.

    Raises:
        InputError: naming the setting, its value and what it may be.
    """
    types = get_type_hints(type(model))
    for each in fields(model):
        value, kind = getattr(model, each.name), types[each.name]
        if get_origin(kind) is Literal and value not in get_args(kind):
            raise unknown(f"{model.name}.{each.name}", str(value), list(map(str, get_args(kind))))
        if not _within(value, each) and value not in (beside := _beside(each, kind)):
            told = ", or ".join([_told(each), *map(str, beside)])
            raise InputError(f"{model.name}.{each.name} is {value}: give {told}")


def _within(value: Any, of: Field[Any]) -> bool:
    try:
        return all(_BOUNDS[name][0](value, bound) for name, bound in of.metadata.get("bounds", {}).items())
    except TypeError:  # No number.
        return False


def _beside(of: Field[Any], kind: Any) -> list[Any]:
    """What may be given that is not within the bounds."""
    auto = [AUTO] if concrete_type(kind) is not kind else []
    return auto if of.default in auto or _within(of.default, of) else [*auto, of.default]


def _told(of: Field[Any]) -> str:
    return ", and ".join(_BOUNDS[name][1].format(bound) for name, bound in of.metadata["bounds"].items())
