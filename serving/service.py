"""The library: a bundle opened, asked and changed by raw ids."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets.dataset import Features, Queries
from datasets.ragged import Ragged
from evaluation.retriever import Retriever
from serving import bundle, tables
from serving.catalogue import Catalogue
from serving.encoding import Raw, UnknownValues
from serving.locks import ReadWriteLock
from serving.requests import Answer, Request
from support.errors import InputError

Vectors = npt.NDArray[np.float32]

__all__ = ["Answer", "Recommender", "Request"]


@dataclass(frozen=True)
class _Asked:
    """A request in codes."""

    request: Request
    user: int
    history: npt.NDArray[np.int32]
    """codes"""
    exclude: npt.NDArray[np.int32]
    """labels"""
    unknown_items: list[str]

    @property
    def features(self) -> Raw | None:
        """Those that count: a trained user's are in the model."""
        return self.request.features if self.user < 0 else None


class Recommender:
    """Answers from a bundle. Calls from several threads are safe; changes stay in memory until `save`."""

    def __init__(self, folder: Path, opened: bundle.Bundle) -> None:
        self.folder = folder
        self.about = opened.about
        self._model = opened.model
        self._index = opened.index
        self._histories = opened.histories
        self._user_schema, self._item_schema = opened.user_schema, opened.item_schema
        self._context_schema = opened.context_schema
        self._user_code = {raw: code for code, raw in enumerate(opened.user_ids)}
        self._vectors = opened.model.encode_items()
        self._catalogue = Catalogue(opened.item_ids, opened.changes)
        self._lock = ReadWriteLock()
        added = np.arange(len(opened.changes.item_ids)) + self._catalogue.trained
        if len(added):
            self._index.add(added, opened.changes.vectors)
        if len(opened.changes.removed):
            self._index.remove(opened.changes.removed)

    @classmethod
    def open(cls, folder: Path | str, model_class: type[Retriever] | None = None) -> Recommender:
        """The recommender of the bundle in `folder`.

        Args:
            folder: what `python -m serving index` wrote.
            model_class: the model's class, for one that is not registered.

        Raises:
            InputError: as `bundle.read`.
        """
        import baselines  # noqa: F401  (importing registers its models)
        import neural  # noqa: F401

        return cls(Path(folder), bundle.read(Path(folder), model_class))

    def __len__(self) -> int:
        """Items that may be returned."""
        return len(self._catalogue)

    def recommend(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        features: Raw | None = None,
        k: int = 20,
        timestamp: int | None = None,
        context: Raw | None = None,
        exclude_seen: bool | None = None,
    ) -> Answer:
        """The best `k` items for one user; the arguments are `Request`'s.

        Raises:
            InputError: as `Request.check`; features that do not fit the training data's columns.
        """
        return self.recommend_batch(
            [Request(user_id, history, features, k, timestamp, context, exclude_seen)]
        )[0]

    def recommend_batch(self, requests: Sequence[Request]) -> list[Answer]:
        """An answer to each request; InputError, as `recommend`, where one of them is refused."""
        with self._lock.reading():
            asked = [self._resolve(request) for request in requests]
            vectors, known, unknown_values = self._encode(asked)
            answers: dict[int, Answer] = {}
            for k in {request.k for request in requests}:
                rows = np.array([row for row, request in enumerate(requests) if request.k == k])
                exclude = Ragged.from_rows([asked[row].exclude for row in rows])
                labels, scores = self._index.search(vectors[rows], k, exclude)
                for row, found, values in zip(rows.tolist(), labels, scores, strict=True):
                    found = found if vectors[row].any() else np.full_like(found, -1)
                    answers[row] = self._answer(asked[row], known[row], unknown_values[row], found, values)
        return [answers[row] for row in range(len(requests))]

    def user_vector(
        self, user_id: str | None = None, history: Sequence[str] | None = None, features: Raw | None = None
    ) -> npt.NDArray[np.float32]:
        """float32[d]: the vector `recommend` searches with; InputError as there."""
        return self.user_vectors([Request(user_id, history, features)])[0]

    def user_vectors(self, requests: Sequence[Request]) -> npt.NDArray[np.float32]:
        """float32[n, d]: the vector of each request; `k` and `exclude_seen` do not matter."""
        with self._lock.reading():
            vectors, _, _ = self._encode([self._resolve(request) for request in requests])
        return vectors

    def item_vector(self, item_id: str) -> npt.NDArray[np.float32]:
        """float32[d]: an item's vector; InputError where it is not in the catalogue."""
        return self.item_vectors([item_id])[0]

    def item_vectors(self, item_ids: Sequence[str]) -> npt.NDArray[np.float32]:
        """float32[n, d]: the items' vectors; InputError where one is not in the catalogue."""
        with self._lock.reading():
            vectors = [self._catalogue.vector(item, self._vectors) for item in item_ids]
        return np.array(vectors, dtype=np.float32).reshape(len(item_ids), self.about.dimension)

    def add_item(self, item_id: str, features: Raw) -> UnknownValues:
        """Put a new item into the catalogue, known by its features alone.

        Returns:
            column → values outside the vocabulary, which count as unknown.

        Raises:
            InputError: the id is in the catalogue, the features do not fit the training data's
                columns, or the model knows items by id alone.
        """
        if not isinstance(item_id, str) or not item_id:
            raise InputError(f"item_id must be text, and not empty: not {item_id!r}")
        encoded, (unknown_values,) = self._item_schema.encode([features])
        with self._lock.writing():
            if item_id in self._catalogue:
                raise InputError(f"the item '{item_id}' is in the catalogue already: remove it first")
            vectors = self._new_vectors(encoded)
            label = self._catalogue.add(item_id, vectors[0])
            self._index.add(np.array([label]), vectors)
        return unknown_values

    def remove_item(self, item_id: str) -> None:
        """Never return an item again; in histories it still counts. InputError where it is not there."""
        with self._lock.writing():
            self._index.remove(np.array([self._catalogue.remove(item_id)]))

    def save(self) -> None:
        """Keep the changes in the bundle, whole or not at all; InputError where it cannot be written."""
        with self._lock.writing():
            changes = self._catalogue.changes(self.about.dimension)
            tables.write_changes(self.folder / bundle.CHANGES, changes, self.about.model_hash)

    def _new_vectors(self, features: Features) -> npt.NDArray[np.float32]:
        vectors = self._model.encode_new_items(features)
        if not np.isfinite(vectors).all():
            raise ValueError(f"{self.about.model} gives a new item a vector that is not finite")
        return vectors

    def _resolve(self, request: Request) -> _Asked:
        request.check()
        code = -1 if request.user_id is None else self._user_code.get(request.user_id, -1)
        trained = self._histories[code] if code >= 0 else np.empty(0, dtype=np.int32)
        history, unknown_items = trained, list[str]()
        if request.history is not None:
            history, unknown_items = self._catalogue.codes(request.history)
        exclude = np.empty(0, dtype=np.int32)
        without_seen = self.about.exclude_seen if request.exclude_seen is None else request.exclude_seen
        if without_seen:
            seen = [*map(self._catalogue.raw, trained.tolist()), *(request.history or ())]
            exclude = self._catalogue.labels(seen)
        return _Asked(request, code, history, exclude, unknown_items)

    def _encode(self, asked: Sequence[_Asked]) -> tuple[Vectors, npt.NDArray[np.bool_], list[UnknownValues]]:
        """The vectors, whether the model knows the users, and values that the training data does not have.

        Requests with and without features are encoded apart: to a model, no features are not the
        same as features of which nothing is known.
        """
        vectors = np.empty((len(asked), self.about.dimension), dtype=np.float32)
        known = np.empty(len(asked), dtype=np.bool_)
        context, unknown = self._context(asked)
        for described in (False, True):
            rows = [row for row, each in enumerate(asked) if (each.features is not None) is described]
            if not rows:
                continue
            chosen, features = [asked[row] for row in rows], None
            if described:
                features, unseen = self._user_schema.encode([each.features or {} for each in chosen])
                for row, values in zip(rows, unseen, strict=True):
                    unknown[row] |= values
            told = None if context is None else context.take(np.array(rows))
            queries = _queries(chosen, features, told)
            vectors[rows], known[rows] = self._model.encode_queries(queries), self._model.knows(queries)
        return vectors, known, unknown

    def _context(self, asked: Sequence[_Asked]) -> tuple[Features | None, list[UnknownValues]]:
        """Where each request is asked, None where the data does not tell; and values it does not have."""
        given = [each.request.context for each in asked]
        if not self._context_schema.columns and not any(given):
            return None, [{} for _ in asked]
        nothing = dict.fromkeys(self._context_schema.columns)
        return self._context_schema.encode([nothing if each is None else each for each in given])

    def _answer(
        self,
        asked: _Asked,
        known: bool,
        unknown: UnknownValues,
        labels: npt.NDArray[np.int32],
        scores: npt.NDArray[np.float32],
    ) -> Answer:
        found = labels >= 0
        return Answer(
            items=[self._catalogue.raw(label) for label in labels[found].tolist()],
            scores=scores[found].tolist(),
            known_user=asked.user >= 0,
            fallback=not known,
            unknown_items=asked.unknown_items,
            unknown_values=unknown,
        )


def _queries(asked: Sequence[_Asked], features: Features | None, context: Features | None) -> Queries:
    nothing = Ragged.empty(len(asked))
    now = int(time.time())
    moments = [now if each.request.timestamp is None else each.request.timestamp for each in asked]
    return Queries(
        user=np.array([each.user for each in asked], dtype=np.int32),
        history=Ragged.from_rows([each.history for each in asked]),
        exclude=nothing,
        relevant=nothing,
        timestamp=np.array(moments, dtype=np.int64),
        user_features=features,
        context=context,
    )
