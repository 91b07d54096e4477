"""The contract of `Retriever`, checked on a tiny dataset; a breach is named in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import lists, settings, unseen_users
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.testing.planted import planted
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.runs.runner import ModelSource


class ContractError(Exception):
    """A model breaks the contract; the message names the part and what it did."""


def check(model: type[Retriever], chosen: Mapping[str, Any]) -> None:
    """Fit and query `model` with the settings `chosen` in every way the harness will.

    Raises:
        ContractError: the first part that does not hold.
    """
    data = planted()
    fitted = _fit(model, chosen, data)
    _recommend(fitted, data.test, 5, data, "for ordinary queries")
    _recommend(fitted, data.test, 2 * len(data.item_ids), data, "with k larger than the catalog")
    unseen = replace(data.test, user=np.full(len(data.test), -1, dtype=np.int32))
    _recommend(fitted, unseen, 5, data, "for users unseen in training (user -1)")
    nothing = Ragged.empty(len(data.test))
    _recommend(fitted, replace(unseen, history=nothing, exclude=nothing), 5, data, "with empty histories")
    _recommend(fitted, data.test.take(slice(0, 0)), 5, data, "for no query at all")
    _tell_parameters(fitted)
    _know_strangers(model, chosen, fitted, data)
    again = _fit(model, chosen, data)
    first, second = (one.recommend(data.test, 5)[0] for one in (fitted, again))
    if not np.array_equal(first, second):
        raise ContractError("fit: two fits with the same seed and settings give different lists")
    _save(fitted, data)


def check_source(source: ModelSource) -> None:
    """Check the model at `source` with its default settings.

    Raises:
        ContractError: as `check`.
    """
    model = source.load()
    check(model, settings.defaults(model))


def warm_up(model: type[Retriever], chosen: Mapping[str, Any]) -> None:
    """Use `model` once on tiny data, so that compiling and loading stay out of measured time.

    A setting that only the real data can answer, such as the name of a column, is left to the real fit.
    """
    data = planted()
    fitted = settings.build(model, chosen)
    try:
        fit(fitted, data, seed=0)
    except InputError:
        return
    fitted.recommend(data.test, 5)


def fit(model: Retriever, data: Dataset, seed: int) -> None:
    """Fit as every run does: choose on the validation part, where a model does, then learn from all.

    What settings leave to a rule is resolved once, on the training part, and stays so in both fits.
    """
    for name, value in model.resolve(data.train, data.valid).items():
        setattr(model, name, value)
    if model.chooses_on_validation:
        model.fit(data.train, data.valid, seed)
    model.fit(data.train_valid, None, seed)


def _fit(model: type[Retriever], chosen: Mapping[str, Any], data: Dataset) -> Retriever:
    try:
        fitted = settings.build(model, chosen)
    except TypeError as error:
        raise ContractError(f"class: {error}") from error
    try:
        fit(fitted, data, seed=0)
    except Exception as error:
        raise ContractError(f"fit: raised {type(error).__name__}: {error}") from error
    return fitted


def _tell_parameters(fitted: Retriever) -> None:
    told = fitted.parameters
    if told is not None and not isinstance(told, int | np.integer):
        raise ContractError(f"parameters: it must be a whole number or None, not {type(told).__name__}")


def _know_strangers(
    model: type[Retriever], chosen: Mapping[str, Any], fitted: Retriever, data: Dataset
) -> None:
    """Refuse a model that gives a stranger what one known user gets, whoever that is.

    That two answers agree may be chance. So it is asked again of a fit in which every user does what
    another one did: a row that was learned is another one then.
    """
    user = unseen_users.double(fitted, data)
    if user is None:
        return
    turned = planted(turned=1)
    again = _fit(model, chosen, turned)
    before, after = (unseen_users.answers(one, user, data) for one in (fitted, again))
    learned = not np.allclose(before, after, rtol=1e-4, atol=1e-6, equal_nan=True)
    if learned and unseen_users.double(again, turned) == user:
        raise ContractError(
            "recommend for users unseen in training (user -1): they get the answer of one known user, code "
            f"{user} of {len(data.user_ids)}: table[-1] is NumPy's last row; give them a row of their own, "
            "such as by self.user_rows(table, queries.user)"
        )


def _save(model: Retriever, data: Dataset) -> None:
    with TemporaryDirectory() as folder:
        try:
            model.save(Path(folder))
            loaded = type(model).load(Path(folder))
        except Exception as error:
            raise ContractError(f"save and load: raised {type(error).__name__}: {error}") from error
    before, after = (one.recommend(data.test, 5)[0] for one in (model, loaded))
    if not np.array_equal(before, after):
        raise ContractError("save and load: the model that was loaded gives other lists")


def _recommend(model: Retriever, queries: Queries, k: int, data: Dataset, case: str) -> None:
    try:
        returned = model.recommend(queries, k)
    except Exception as error:
        raise ContractError(f"recommend {case}: raised {type(error).__name__}: {error}") from error
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise ContractError(
            f"recommend {case}: it must return (items, scores), not {type(returned).__name__}"
        )
    try:
        lists.check(*returned, queries, k, data.train_valid.n_items)
    except lists.InvalidListsError as error:
        raise ContractError(f"recommend {case}: {error}") from error
