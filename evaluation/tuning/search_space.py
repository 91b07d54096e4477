"""A model's `search_space` as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from retrieval_leaderboard.evaluation.models import fields, settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support.errors import InputError, unknown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 4
"""Significant digits of a number that is tried: what a config holds is exactly what was scored."""


def distributions(model: type[Retriever], fixed: Collection[str] = ()) -> dict[str, BaseDistribution]:
    """Setting → where its values are drawn from, without those that are `fixed`.

    Raises:
        InputError: a setting the model does not have, or values of another form than
            `Retriever.search_space` says.
    """
    types = get_type_hints(model)
    known = settings.defaults(model)
    found = {}
    for key, values in fields.search_space(model).items():
        if key not in known:
            raise unknown(f"setting in {model.name}.search_space", key, known)
        if key not in fixed:
            found[key] = _distribution(
                values, fields.concrete_type(types[key]), f"{model.name}.search_space['{key}']"
            )
    return found


def within(space: Mapping[str, BaseDistribution], values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of `values` that `space` draws; None where it could not have drawn it."""
    point = {key: values[key] for key in space}
    try:
        inside = all(each._contains(each.to_internal_repr(point[key])) for key, each in space.items())
    except ValueError:  # Of a value that is none of the choices, or has no logarithm.
        return None
    return point if inside else None


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with DIGITS significant digits."""
    return {
        key: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for key, value in values.items()
    }


def _distribution(values: Any, kind: Any, where: str) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, list) and values:
        return CategoricalDistribution(values)
    match values:
        case (low, high) | (low, high, "log") if kind in (int, float) and low < high:
            log = len(values) == 3
            whole = isinstance(low, int) and isinstance(high, int)
            if (low > 0 or not log) and (whole or kind is float):
                return (IntDistribution if kind is int else FloatDistribution)(low, high, log=log)
    raise InputError(
        f"{where}: give it as a list of choices, or, for numbers of the setting's type, as (low, high) or "
        "(low, high, 'log')"
    )
