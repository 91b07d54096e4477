"""The contract of `Retriever`, checked on a tiny dataset; a breach is named in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import lists, settings, unseen_users
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.planted import planted, weighted


class ContractError(Exception):
    """A model breaks the contract; the message names the part, what is wanted, and what came."""


def check_model(model: type[Retriever], **values: Any) -> None:
    """Fit and query `model` in every way the harness will, on a tiny dataset.

    Args:
        model: a class derived from `Retriever`.
        values: its settings where they are not as by default.

    Raises:
        ContractError: the first part of the contract that does not hold, and what the model did.
    """
    for _ in promises(model, **values):
        pass


def promises(model: type[Retriever], **values: Any) -> Iterator[str]:
    """Each part of the contract in words, once it is found to hold; arguments, errors as `check_model`."""
    values, data = settings.defaults(model) | values, planted()
    fitted = _fit(model, values, data)
    yield "fit: it is built from its settings alone, and fitted without an error"
    _check_catalog(fitted, data)
    yield "fit: whatever has a row an item has one for each item of the catalog"
    for case, (queries, k) in _cases(data).items():
        _recommend(fitted, queries, k, data, case)
        yield f"recommend {case}: valid lists, best first"
    _check_parameters(fitted)
    yield "parameters: a whole number, or None"
    _check_unseen_users(model, values, fitted, data)
    yield "recommend for users unseen in training: not the answer of one known user"
    _check_cold_users(model, values)
    yield "recommend for users without interactions: no random vector that was never learned"
    _check_weights(model, values, data)
    yield "fit on interactions with weights: without an error, and good lists after it"
    _check_same(fitted, _fit(model, values, data), data, "fit: two fits with the same seed and settings")
    yield "fit: the same lists with the same seed and settings"
    _save(fitted, data)
    yield "save and load: the same lists from the model that was loaded"
    if model.has_warm_start():
        _recommend(_later(fitted, data), data.test, 5, data, "after a warm start")
        yield "warm_start: without an error, and good lists after it"


def _cases(data: Dataset) -> dict[str, tuple[Queries, int]]:
    """What a model is asked, in words → the queries, and how many items each is to get."""
    unseen = replace(data.test, user=np.full(len(data.test), -1, dtype=np.int32))
    nothing = Ragged.empty(len(data.test))
    return {
        "for ordinary queries": (data.test, 5),
        "with k larger than the catalog": (data.test, 2 * len(data.item_ids)),
        "for users unseen in training (user -1)": (unseen, 5),
        "with empty histories": (replace(unseen, history=nothing, exclude=nothing), 5),
        "for no query at all": (data.test.take(slice(0, 0)), 5),
    }


def _fit(
    model: type[Retriever], values: Mapping[str, Any], data: Dataset, seed: int = 0, case: str = ""
) -> Retriever:
    try:
        fitted = settings.build(model, values)
    except TypeError as error:
        raise ContractError(
            f"class: it must be built from its settings alone; {type(error).__name__}: {error}"
        ) from error
    try:
        harness.fit(fitted, data, seed)
    except Exception as error:
        raise _raised(f"fit{case}", "end", error) from error
    return fitted


def _later(fitted: Retriever, data: Dataset) -> Retriever:
    """What goes on from `fitted` on the same data."""
    found = fitted.resolved(data.train, data.valid)
    try:
        harness.warm_start(found, fitted, data, data, seed=0)
    except Exception as error:
        raise _raised("warm_start", "end", error) from error
    return found


def _raised(part: str, wanted: str, error: Exception) -> ContractError:
    return ContractError(f"{part}: it must {wanted} without an error; raised {type(error).__name__}: {error}")


def _check_catalog(fitted: Retriever, data: Dataset) -> None:
    try:
        fitted.check_catalog(data.train_valid.n_items)
    except lists.InvalidListsError as error:
        raise ContractError(f"fit: {error}") from error
    except Exception as error:
        raise _raised("encode_items", "give the vectors of a fitted model", error) from error


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
            raise _raised("save and load", "be written and read again", error) from error
    told = "save and load, which keep the attributes that end in an underscore: the model before and after"
    _check_same(model, loaded, data, told)


def _check_same(one: Retriever, other: Retriever, data: Dataset, whose: str) -> None:
    """Refuse two models that give different lists."""
    found: list[npt.NDArray[np.int32]] = [each.recommend(data.test, 5)[0] for each in (one, other)]
    differ = (found[0] != found[1]).any(axis=1)
    if differ.any():
        query = int(np.argmax(differ))
        raise ContractError(
            f"{whose} must give the same lists; {differ.sum()} of {len(differ)} differ, that of query "
            f"{query} is {found[0][query].tolist()} and {found[1][query].tolist()}"
        )


def _recommend(model: Retriever, queries: Queries, k: int, data: Dataset, case: str) -> None:
    try:
        returned = model.recommend(queries, k)
    except Exception as error:
        raise _raised(f"recommend {case}", "answer", error) from error
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise ContractError(
            f"recommend {case}: it must return (items, scores), not {type(returned).__name__}"
        )
    try:
        lists.check(*returned, queries, k, data.train_valid.n_items)
    except lists.InvalidListsError as error:
        raise ContractError(f"recommend {case}: {error}") from error
