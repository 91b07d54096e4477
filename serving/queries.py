"""Requests by raw ids as queries of a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.serving.bundles.bundle import Bundle
from retrieval_leaderboard.serving.bundles.catalog import Catalog
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues, as_in_logs
from retrieval_leaderboard.serving.requests import Request, moment
from retrieval_leaderboard.support.errors import InputError

Question = tuple[npt.NDArray[np.int64], Queries]
"""Which of several requests, ascending, and they as queries that exclude nothing"""


@dataclass(frozen=True)
class EncodedRequest:
    """A request by codes."""

    request: Request
    user: int
    history: npt.NDArray[np.int32]
    """codes"""
    excluded: list[str]
    """items that may not be returned"""
    unknown_items: list[str]

    @property
    def features(self) -> Raw | None:
        """The features that count: those of a trained user are in the model already."""
        return self.request.features if self.user < 0 else None


class Encoder:
    """Puts requests to a bundle's model. Calls from several threads are safe."""

    def __init__(self, opened: Bundle) -> None:
        self._about = opened.about
        self._histories = opened.histories
        self._user_schema, self._context_schema = opened.user_schema, opened.context_schema
        self._user_code = {raw: code for code, raw in enumerate(opened.user_ids)}

    def examples(self) -> list[Request]:
        """Requests of every kind: of a known user, an unseen user, and one with features."""
        nothing = dict.fromkeys(self._user_schema.columns)
        described = [Request(features=nothing)] if nothing else []
        return [*map(Request, list(self._user_code)[:1]), Request(""), *described]

    def resolve(self, request: Request, catalog: Catalog) -> EncodedRequest:
        """A request in codes; InputError, as `Request.check`, where it cannot be answered."""
        request.check()
        code = -1 if request.user_id is None else self._code(request.user_id)
        trained = self._histories[code] if code >= 0 else np.empty(0, dtype=np.int32)
        history, unknown_items = trained, list[str]()
        if request.history is not None:
            history, unknown_items = catalog.codes(request.history)
        without_seen = self._about.exclude_seen if request.exclude_seen is None else request.exclude_seen
        excluded = [*request.exclude]
        if without_seen:
            told = [] if request.history is None else request.history
            excluded += [*catalog.raws(trained.tolist()), *told]
        return EncodedRequest(request, code, history, excluded, unknown_items)

    def questions(self, requests: Sequence[EncodedRequest]) -> tuple[list[Question], list[UnknownValues]]:
        """The requests as queries, and for each request the values that the training data does not have.

        Requests with and without features are asked apart: to a model, no features are not the
        same as features of which nothing is known.
        """
        asked = list[Question]()
        context, unknown = self._context(requests)
        for with_features in (False, True):
            rows = [row for row, each in enumerate(requests) if (each.features is not None) is with_features]
            if not rows:
                continue
            group, features = [requests[row] for row in rows], None
            if with_features:
                features, unseen = self._user_schema.encode([each.features or {} for each in group])
                for row, values in zip(rows, unseen, strict=True):
                    unknown[row] |= values
            places = np.array(rows)
            asked.append(
                (places, _queries(group, features, None if context is None else context.take(places)))
            )
        for row, each in enumerate(requests):  # A trained user's features are in the model, yet checked.
            if each.user >= 0 and each.request.features is not None:
                unknown[row] |= self._user_schema.encode([each.request.features])[1][0]
        return asked, unknown

    def _code(self, user_id: str) -> int:
        """A user's code, -1 for one that the model was not trained with."""
        (found,) = as_in_logs([user_id], self._user_code)
        return self._user_code.get(found, -1)

    def _context(self, requests: Sequence[EncodedRequest]) -> tuple[Features | None, list[UnknownValues]]:
        """Context features of each request, None where the data has none; and values it does not have."""
        given = [each.request.context for each in requests]
        if not self._context_schema.columns and not any(given):
            return None, [{} for _ in requests]
        nothing = dict.fromkeys(self._context_schema.columns)
        return self._context_schema.encode([nothing if each is None else each for each in given])


@contextmanager
def placed(requests: Sequence[Request], check: Callable[[Request], None]) -> Iterator[None]:
    """Within, a refusal of several requests says which one is at fault: the first that `check` refuses."""
    try:
        yield
    except InputError:
        for place, request in enumerate(requests if len(requests) > 1 else ()):
            try:
                check(request)
            except InputError as error:
                raise InputError(f"requests[{place}]: {error}") from error
        raise


def searched_together(requests: Sequence[Request]) -> list[npt.NDArray[np.int64]]:
    """Places of requests of the same length and filter."""
    groups: dict[tuple[int, str], list[int]] = {}
    for row, request in enumerate(requests):
        groups.setdefault((request.k, repr(request.filter or None)), []).append(row)
    return [np.array(rows) for rows in groups.values()]


def told_nothing(
    requests: Sequence[EncodedRequest], unknown: Sequence[UnknownValues]
) -> npt.NDArray[np.bool_]:
    """bool[q]: unseen users of whom no history and no feature is known."""
    nothing = [
        each.user < 0 and not len(each.history) and not _has_known_value(each.features or {}, values)
        for each, values in zip(requests, unknown, strict=True)
    ]
    return np.array(nothing, dtype=np.bool_)


def _has_known_value(features: Raw, unknown: UnknownValues) -> bool:
    """Whether a value is given that the training data has."""
    for column, value in features.items():
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        if len(values) > len(unknown.get(column, [])):
            return True
    return False


def _queries(
    requests: Sequence[EncodedRequest], features: Features | None, context: Features | None
) -> Queries:
    nothing = Ragged.empty(len(requests))
    now = int(time.time())
    given = [each.request.timestamp for each in requests]
    moments = [now if each is None else moment(each) for each in given]
    return Queries(
        user=np.array([each.user for each in requests], dtype=np.int32),
        history=Ragged.from_rows([each.history for each in requests]),
        exclude=nothing,
        relevant=nothing,
        timestamp=np.array(moments, dtype=np.int64),
        user_features=features,
        context=context,
    )
