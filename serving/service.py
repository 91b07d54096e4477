"""The library: open a bundle, ask for recommendations and change the catalog, by raw ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock, RLock

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.serving import searchers
from retrieval_leaderboard.serving.bundles import bundle, versions
from retrieval_leaderboard.serving.bundles.catalog import Catalog
from retrieval_leaderboard.serving.bundles.columns import Filter
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues
from retrieval_leaderboard.serving.bundles.journal import Change, ChangedError, NotSavedError
from retrieval_leaderboard.serving.bundles.locks import ReadWriteLock
from retrieval_leaderboard.serving.queries import EncodedRequest, Encoder, placed, searched_together
from retrieval_leaderboard.serving.requests import Answer, Request
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import pages

__all__ = ["Answer", "Recommender", "Request"]


class Recommender:
    """Answers from a bundle. Calls from several threads are safe; changes stay in memory until `save`."""

    def __init__(self, folder: Path, opened: bundle.Bundle) -> None:
        self.folder = folder
        self.about = opened.about
        self._item_columns = tuple(opened.item_schema.columns)
        self._encoder = Encoder(opened)
        self._searcher = searchers.of(opened, self._encoder)
        self._journal = opened.journal
        self._held: ExitStack | None = None
        changes = opened.journal.changes
        self._catalog = Catalog(opened.item_ids, changes, opened.columns)
        self._lock = ReadWriteLock()
        """for the searcher and the labels in it"""
        self._changing = RLock()
        """for changes, one after the other; held while they are written, when searches go on"""
        self._following = Lock()
        """for what other processes have changed"""
        self._unsaved: list[Change] = []
        added = np.arange(len(changes.item_ids)) + self._catalog.trained
        if len(added):
            self._searcher.add(added, changes.vectors)
        if len(changes.removed):
            self._searcher.remove(changes.removed)

    @classmethod
    def open(
        cls,
        folder: Path | str,
        model_class: type[Retriever] | None = None,
        writing: bool = False,
        shared: Path | None = None,
    ) -> Recommender:
        """The recommender of the bundle in `folder`.

        Args:
            folder: what `python -m serving index` wrote; of a folder of versions, the current one.
            model_class: the model's class, for one that is not registered.
            writing: keep other processes from changing the bundle until `close`; without it, `save` does
                so while it writes, and refuses where one has changed it meanwhile.
            shared: a folder for what processes that all name it compute alike; they share the pages of the
                bundle's files, too, and may all be `writing`: each has what any keeps by `keep_item` at once.

        Raises:
            InputError: as `bundle.read` and `versions.resolve`; with `writing`, another process holds the
                bundle.
        """
        folder, together = versions.resolve(Path(folder)), shared is not None
        with ExitStack() as stack, pages.shared_in(shared):
            if writing:
                stack.enter_context(bundle.hold(folder, together))
            opened = cls(folder, bundle.read(folder, model_class, together, writing))
            if writing:
                opened._fold()
                opened._held = stack.pop_all()
        return opened

    def close(self) -> None:
        """Let other processes change the bundle; changes that were not saved are forgotten."""
        if self._held is not None:
            with self._changing, self._held:
                self._fold()
                self._held = None

    def __enter__(self) -> Recommender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> None:
        """Answer once in every way, so that no later request waits for loading and compiling."""
        some = self._catalog.raws(range(min(self._catalog.trained, 50)))
        examples = [*self._encoder.examples(), Request(history=some)]
        for requests in (*([request] for request in examples), examples * 8):
            self.recommend_batch(requests)
        with suppress(InputError):
            self._searcher.encode_new(dict.fromkeys(self._item_columns))

    def __len__(self) -> int:
        """Items of the catalog, without those that were removed."""
        self._follow()
        return len(self._catalog)

    def recommend(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        features: Raw | None = None,
        k: int = 20,
        timestamp: int | float | str | None = None,
        context: Raw | None = None,
        exclude_seen: bool | None = None,
        exclude: Sequence[str] = (),
        filter: Filter | None = None,
    ) -> Answer:
        """The best `k` items for one user; the arguments are `Request`'s.

        Raises:
            InputError: as `Request.check`; features that do not fit the training data's columns; a filter
                that does not fit the item columns.
        """
        return self.recommend_batch(
            [Request(user_id, history, features, k, timestamp, context, exclude_seen, exclude, filter)]
        )[0]

    def recommend_batch(self, requests: Sequence[Request]) -> list[Answer]:
        """An answer to each request; InputError, as `recommend`, which names the place of one of several."""
        self._follow()
        with placed(requests, self._check):
            return self._answers(requests)

    def _check(self, request: Request) -> None:
        """InputError where a request is refused, without a search."""
        self._encoder.questions([self._encoder.resolve(request, self._catalog)])
        if request.filter:
            with self._lock.reading():
                self._catalog.kept(request.filter)

    def _answers(self, requests: Sequence[Request]) -> list[Answer]:
        encoded = [self._encoder.resolve(request, self._catalog) for request in requests]
        asked = self._searcher.ask(encoded)
        answers: dict[int, Answer] = {}
        for rows in searched_together(requests):
            first = requests[rows[0]]
            with self._lock.reading():
                exclude = Ragged.from_rows([self._catalog.labels(encoded[row].excluded) for row in rows])
                kept = self._catalog.kept(first.filter) if first.filter else None
                if kept is not None:
                    exclude = exclude.only(kept)
                labels, scores = asked.search(rows, first.k, exclude, kept)
            for row, found, values in zip(rows.tolist(), labels.tolist(), scores.tolist(), strict=True):
                known, unknown = bool(asked.known[row]), asked.unknown_values[row]
                answers[row] = self._answer(encoded[row], known, unknown, found, values)
        return [answers[row] for row in range(len(requests))]

    def user_vector(
        self, user_id: str | None = None, history: Sequence[str] | None = None, features: Raw | None = None
    ) -> npt.NDArray[np.float32]:
        """float32[d]: the vector `recommend` searches with; InputError as there, and where it has none."""
        return self.user_vectors([Request(user_id, history, features)])[0]

    def user_vectors(self, requests: Sequence[Request]) -> npt.NDArray[np.float32]:
        """float32[n, d]: the vector of each request; `k` and `exclude_seen` do not matter."""
        with placed(requests, self._check):
            return self._searcher.user_vectors(
                [self._encoder.resolve(request, self._catalog) for request in requests]
            )

    def item_vector(self, item_id: str) -> npt.NDArray[np.float32]:
        """float32[d]: an item's vector; InputError where it has none, or is not in the catalog."""
        return self.item_vectors([item_id])[0]

    def item_vectors(self, item_ids: Sequence[str]) -> npt.NDArray[np.float32]:
        """float32[n, d]: the items' vectors; InputError as `item_vector`."""
        trained = self._searcher.item_vectors
        with self._lock.reading():
            vectors = [self._catalog.vector(item, trained) for item in item_ids]
        return np.array(vectors, dtype=np.float32).reshape(len(item_ids), self.about.dimension)

    def add_item(self, item_id: str, features: Raw) -> UnknownValues:
        """Put a new item into the catalog, known by its features alone.

        Returns:
            column → values outside the vocabulary, which count as unknown.

        Raises:
            InputError: the id is in the catalog, the features do not fit the training data's
                columns, or the model takes no new items.
        """
        return self._add(item_id, features, self._unsaved.append)

    def keep_item(self, item_id: str, features: Raw) -> UnknownValues:
        """As `add_item` and `save`, or neither: first it is on the disk, then it is returned.

        Raises:
            NotSavedError: it could not be written; ChangedError: the bundle is another one now.
            InputError: as `add_item`.
        """
        return self._add(item_id, features, self._keep)

    def remove_item(self, item_id: str) -> None:
        """Never return an item again; in histories it still counts. InputError where it is not there."""
        with self._change():
            self._unsaved.append(change := Change(self._catalog.named(item_id)))
            self._apply(change)

    def save(self) -> None:
        """Keep the changes in the bundle, whole or not at all: they are appended to its log.

        Raises:
            InputError: the bundle cannot be written, is held or was changed by another process.
        """
        with self._change(), nullcontext() if self._held is not None else bundle.hold(self.folder):
            self._journal.append(self._unsaved)
            self._unsaved.clear()

    def _add(self, item_id: str, features: Raw, keep: Callable[[Change], None]) -> UnknownValues:
        if not isinstance(item_id, str) or not item_id.strip():
            raise InputError(f"item_id must be text, and not empty or blank: not {item_id!r}")
        item_id = item_id.strip()
        with self._change():
            vectors, unknown_values = self._searcher.encode_new(features)
            self._catalog.check_lacks(item_id)
            change = Change(item_id, vectors[0], self._catalog.values(features))
            keep(change)
            self._apply(change)
        return unknown_values

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Within, the catalog changes from here alone, and has what other processes have changed before."""
        with self._changing, self._journal.turn():
            self._follow()
            yield

    def _follow(self) -> None:
        """Apply what other processes have changed."""
        if self._journal.is_behind():
            with self._following:
                for change in self._journal.news():
                    self._apply(change)

    def _apply(self, change: Change) -> None:
        with self._lock.writing():
            if change.vector is None:
                self._searcher.remove(np.array([self._catalog.remove(change.item_id)]))
            else:
                label = self._catalog.add(change.item_id, change.vector, change.values)
                self._searcher.add(np.array([label]), change.vector[None])

    def _keep(self, change: Change) -> None:
        self._unsaved.append(change)
        try:
            self.save()
        except ChangedError:
            raise
        except InputError as error:
            raise NotSavedError(str(error)) from error
        finally:
            # What was saved is no longer there. In place: another thread may be waiting to append to it.
            self._unsaved[:] = [each for each in self._unsaved if each is not change]

    def _fold(self) -> None:
        """Merge the journal into the table of changes; without room on the disk it stays as it is."""
        if self._journal.log_is_empty or self._journal.shared or self._unsaved:
            return
        try:
            self._journal.fold(self._catalog.changes(self.about.dimension))
        except InputError as error:
            progress.say(f"the journal of added items stays as it is: {error}")

    def _answer(
        self,
        request: EncodedRequest,
        known: bool,
        unknown: UnknownValues,
        labels: list[int],
        scores: list[float],
    ) -> Answer:
        return Answer(
            items=self._catalog.raws([label for label in labels if label >= 0]),
            scores=[score for label, score in zip(labels, scores, strict=True) if label >= 0],
            known_user=request.user >= 0,
            fallback=not known,
            unknown_items=request.unknown_items,
            unknown_values=unknown,
        )
