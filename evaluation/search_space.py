"""A model's `search_space` as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluation import settings
from evaluation.retriever import Retriever
from support.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 4
"""Significant digits of a number that is tried: what a config holds is exactly what was scored."""


def distributions(model: type[Retriever]) -> dict[str, BaseDistribution]:
    """Setting → where its values are drawn from; each holds the setting's default.

    Raises:
        InputError: a setting the model does not have, or values of another form than
            `Retriever.search_space` says.
    """
    known = settings.defaults(model)
    found = {}
    for key, values in model.search_space.items():
        if key not in known:
            raise InputError(f"{model.name}.search_space: there is no setting '{key}'")
        found[key] = _distribution(values, known[key], f"{model.name}.search_space['{key}']")
    return found


def within(space: Mapping[str, BaseDistribution], values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of `values` that `space` draws; None where it could not have drawn it."""
    point = {key: values[key] for key in space}
    inside = all(each._contains(each.to_internal_repr(point[key])) for key, each in space.items())
    return point if inside else None


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with DIGITS significant digits."""
    return {
        key: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for key, value in values.items()
    }


def _distribution(values: Any, default: Any, where: str) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match values:
        case [*choices] if isinstance(values, list) and choices:
            return CategoricalDistribution(choices if default in choices else [*choices, default])
        case (low, high) | (low, high, "log") if low < high:
            log = len(values) == 3
            kind = IntDistribution if isinstance(low, int) and isinstance(high, int) else FloatDistribution
            return kind(min(low, default), max(high, default), log=log)
    raise InputError(f"{where}: give it as a list of choices, (low, high) or (low, high, 'log')")
