"""The ranking of a model without vectors, such as that of neighbor lists or of what is popular."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import unseen_users
from retrieval_leaderboard.evaluation.ranking import popularity, topk
from retrieval_leaderboard.serving.bundles.bundle import Bundle
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues
from retrieval_leaderboard.serving.indexes.base import Lists
from retrieval_leaderboard.serving.queries import EncodedRequest, Encoder, Question
from retrieval_leaderboard.serving.searchers import unseen
from retrieval_leaderboard.serving.searchers.base import Asked, Kept, Searcher, Vectors
from retrieval_leaderboard.support.errors import InputError

AWAY_AT_ONCE = 2**23
"""Items that a filter or removals keep out, in the rows of requests that are ranked together"""


class OwnRanking(Searcher):
    """A model's own `recommend`, asked for each request.

    Where the model knows nothing of whom it is asked about, the places that it leaves empty hold the items
    with the most users. With a filter, all that are left empty hold the matching items with the most users,
    so that a list is short only where no more items match.
    """

    def __init__(self, opened: Bundle, encoder: Encoder) -> None:
        self.model = opened.model
        self._encoder = encoder
        self._removed: npt.NDArray[np.int32] = np.empty(0, np.int32)
        counts = np.bincount(opened.histories.compact()[0], minlength=opened.about.items)
        self._unseen_users_have_a_list = unseen.have_their_own(
            opened, partial(unseen_users.double_of_lists, opened.model), "list", "what is popular"
        )
        self._popular = popularity.by_count(counts, counts)
        self._all = popularity.by_count(counts, np.ones_like(counts))

    def ask(self, requests: Sequence[EncodedRequest]) -> Asked:
        """As `Searcher.ask`."""
        known = np.empty(len(requests), dtype=np.bool_)
        questions, unknown = self._encoder.questions(requests)
        for rows, queries in questions:
            known[rows] = self.model.knows(queries)
        if not self._unseen_users_have_a_list:
            known &= np.array([each.user >= 0 for each in requests], dtype=np.bool_)
        return Asked(partial(self._search, partial(self._lists, questions, known)), known, unknown)

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """As `Searcher.remove`."""
        self._removed = np.concatenate([self._removed, labels.astype(np.int32)])

    def add(self, labels: npt.NDArray[np.int64], vectors: Vectors) -> None:
        """Refuse: InputError."""
        raise self._refusal()

    def encode_new(self, features: Raw) -> tuple[Vectors, UnknownValues]:
        """Refuse: InputError."""
        raise self._refusal()

    def user_vectors(self, requests: Sequence[EncodedRequest]) -> Vectors:
        """Refuse: InputError."""
        raise self._without_vectors()

    @property
    def item_vectors(self) -> Vectors:
        """Refuse: InputError."""
        raise self._without_vectors()

    def _search(
        self, lists_of: Callable[..., Lists], rows: npt.NDArray[np.int64], k: int, exclude: Ragged, kept: Kept
    ) -> Lists:
        away = self._removed if kept is None else np.flatnonzero(~kept).astype(np.int32)
        if not len(away):
            return lists_of(rows, k, exclude)
        items, scores = topk.empty(len(rows), k)
        size = max(1, AWAY_AT_ONCE // len(away))
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            excluded = [np.append(each, away) for each in map(exclude.__getitem__, range(len(rows))[part])]
            some = Ragged.from_rows(excluded)
            lists = lists_of(rows[part], k, some)
            if kept is not None:
                lists = popularity.filled(lists, self._all, some)
            items[part], scores[part] = lists
        return items, scores

    def _lists(
        self,
        questions: Sequence[Question],
        known: npt.NDArray[np.bool_],
        rows: npt.NDArray[np.int64],
        k: int,
        exclude: Ragged,
    ) -> Lists:
        items, scores = topk.empty(len(rows), k)
        for members, queries in questions:
            at = np.minimum(np.searchsorted(members, rows), len(members) - 1)
            places = np.flatnonzero(members[at] == rows)
            asked = queries.take(at[places])
            items[places], scores[places] = self.model.recommend(
                replace(asked, exclude=exclude.take(places)), k
            )
        nobody = np.flatnonzero(~known[rows])
        if len(nobody):
            if not self._unseen_users_have_a_list:
                items[nobody], scores[nobody] = topk.empty(len(nobody), k)
            own = items[nobody], scores[nobody]
            items[nobody], scores[nobody] = popularity.filled(own, self._popular, exclude.take(nobody))
        return items, scores

    def _refusal(self) -> InputError:
        return InputError(
            f"{self.model.name} ranks the items that it was trained with and cannot take a new one: train it "
            "again, or serve a model with item features"
        )

    def _without_vectors(self) -> InputError:
        return InputError(f"{self.model.name} has no vectors: it ranks items by itself")
