"""The contract of `Retriever`, checked on a tiny dataset; a breach is named in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import lists, settings, unseen_users
from retrieval_leaderboard.evaluation.models.retriever import EmbeddingRetriever, Retriever
from retrieval_leaderboard.evaluation.planted import planted, weighted


class ContractError(Exception):
    """A model breaks the contract; the message names the part and what it did."""


def check_model(model: type[Retriever], **values: Any) -> None:
    """Fit and query `model` in every way the harness will, on a tiny dataset.

    Args:
        model: a class derived from `Retriever`.
        values: its settings where they are not as by default.

    Raises:
        ContractError: the first part of the contract that does not hold, and what the model did.
    """
    values, data = settings.defaults(model) | values, planted()
    fitted = _fit(model, values, data)
    _check_catalog(fitted, data)
    _recommend(fitted, data.test, 5, data, "for ordinary queries")
    _recommend(fitted, data.test, 2 * len(data.item_ids), data, "with k larger than the catalog")
    unseen = replace(data.test, user=np.full(len(data.test), -1, dtype=np.int32))
    _recommend(fitted, unseen, 5, data, "for users unseen in training (user -1)")
    nothing = Ragged.empty(len(data.test))
    _recommend(fitted, replace(unseen, history=nothing, exclude=nothing), 5, data, "with empty histories")
    _recommend(fitted, data.test.take(slice(0, 0)), 5, data, "for no query at all")
    _check_parameters(fitted)
    _check_unseen_users(model, values, fitted, data)
    _check_cold_users(model, values)
    _check_weights(model, values, data)
    again = _fit(model, values, data)
    first, second = (one.recommend(data.test, 5)[0] for one in (fitted, again))
    if not np.array_equal(first, second):
        raise ContractError("fit: two fits with the same seed and settings give different lists")
    _save(fitted, data)


def _fit(
    model: type[Retriever], values: Mapping[str, Any], data: Dataset, seed: int = 0, case: str = ""
) -> Retriever:
    try:
        fitted = settings.build(model, values)
    except TypeError as error:
        raise ContractError(f"class: {error}") from error
    try:
        harness.fit(fitted, data, seed)
    except Exception as error:
        raise ContractError(f"fit{case}: raised {type(error).__name__}: {error}") from error
    return fitted


def _check_catalog(fitted: Retriever, data: Dataset) -> None:
    try:
        fitted.check_catalog(data.train_valid.n_items)
    except Exception as error:
        raise ContractError(f"fit: {type(error).__name__}: {error}") from error


def _check_parameters(fitted: Retriever) -> None:
    number = fitted.parameters
    if number is not None and not isinstance(number, int | np.integer):
        raise ContractError(f"parameters: it must be a whole number or None, not {type(number).__name__}")


def _check_unseen_users(
    model: type[Retriever], values: Mapping[str, Any], fitted: Retriever, data: Dataset
) -> None:
    """Refuse a model that gives an unseen user what one known user gets, whoever that is.

    That two answers agree may be chance. So it is asked again of a fit in which every user does what
    another one did: a row that was learned is another one then.
    """
    user = unseen_users.double(fitted, data)
    if user is None:
        return
    turned = planted(turned=1)
    again = _fit(model, values, turned)
    before, after = (unseen_users.answers(one, user, data) for one in (fitted, again))
    learned = not np.allclose(before, after, rtol=1e-4, atol=1e-6, equal_nan=True)
    if learned and unseen_users.double(again, turned) == user:
        raise ContractError(
            "recommend for users unseen in training (user -1): they get the answer of one known user, code "
            f"{user} of {len(data.user_ids)}: table[-1] is NumPy's last row; give them a row of their own, "
            "such as by self.user_rows(table, queries.user)"
        )


def _check_cold_users(model: type[Retriever], values: Mapping[str, Any]) -> None:
    """Refuse a model that answers whom it knows nothing of from a row that was drawn and never learned."""
    if not issubclass(model, EmbeddingRetriever):
        return
    data, other = planted(absent=1), planted(absent=13)
    fits = (_fit(model, values, each, seed) for each, seed in ((data, 0), (other, 0), (data, 1)))
    first, of_other, by_seed = (each for each in fits if isinstance(each, EmbeddingRetriever))
    for user, who in (
        (-1, "users unseen in training (user -1)"),
        (0, "a user without training interactions"),
    ):
        if unseen_users.untrained(first, of_other, by_seed, user):
            raise ContractError(
                f"recommend for {who}: without a history they get a random vector that was never learned; "
                "give zeros, which rank nothing, or something of the data, such as the mean of all users"
            )


def _check_weights(model: type[Retriever], values: Mapping[str, Any], data: Dataset) -> None:
    """Refuse a model that breaks where interactions have weights, whether it uses them or not."""
    fitted = _fit(model, values, weighted(data), case=" on interactions with weights")
    _recommend(fitted, data.test, 5, data, "after a fit on interactions with weights")


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
