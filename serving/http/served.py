"""What answers now, and how another version takes its place while requests come."""

from __future__ import annotations

import gc
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Self

from retrieval_leaderboard.serving.bundles import versions
from retrieval_leaderboard.serving.bundles.bundle import About
from retrieval_leaderboard.serving.http.batcher import Batcher
from retrieval_leaderboard.serving.service import Recommender
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

LOOK_SECONDS = 2.0
"""Between two looks at which version is current"""
END_SECONDS = 5.0
"""What a version that is being opened may delay the end of a service"""


class Served:
    """One bundle, opened."""

    def __init__(self, recommender: Recommender, threads: int) -> None:
        self.recommender, self.batcher = recommender, Batcher(recommender, threads)
        self.about: About = recommender.about
        self.names: dict[str, Any] = {"model": self.about.model, "version": version_of(self.about)}
        """what every answer says of it"""
        self.open_requests = 0

    def close(self) -> None:
        """Once the last request is answered: end its threads, and let others change the bundle."""
        while self.open_requests:
            time.sleep(0.01)
        self.batcher.close()
        self.recommender.close()


class Current:
    """The bundle that new requests are answered from; those that came before a switch keep theirs."""

    def __init__(self, recommender: Recommender, threads: int = 1) -> None:
        """`threads` search, where that takes long."""
        self.served, self._threads = Served(recommender, threads), threads
        self.refusal: str | None = None
        """why the version that should answer does not; None where it does"""
        self.switches = self.failures = 0
        self.on_switch = self.on_refusal = _nothing
        """called before those are counted"""
        self._switching = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close what answers by then."""
        self.served.recommender.close()

    @contextmanager
    def using(self) -> Iterator[Served]:
        """What a request is answered from; not closed before it is left. For one thread."""
        with self._switching:
            served = self.served
            served.open_requests += 1
        try:
            yield served
        finally:
            served.open_requests -= 1

    def switch(self, recommender: Recommender) -> None:
        """Answer from another bundle from now on; returns when the last request to the former is answered."""
        new = Served(recommender, self._threads)
        with self._switching:
            former, self.served = self.served, new
        self.refusal = None
        self.on_switch()
        self.switches += 1
        former.close()

    def refuse(self, error: Exception) -> None:
        """Go on as before; the reason is said and kept."""
        self.refusal = str(error) if isinstance(error, InputError) else f"a bug: {error!r}"
        progress.say(f"{self.served.recommender.folder} goes on answering: {self.refusal}")
        self.on_refusal()
        self.failures += 1


def _nothing() -> None: ...


@contextmanager
def following(
    bundle: Path,
    current: Current,
    opened: Callable[[Path], Recommender],
    answers: Callable[[Recommender], None] | None = None,
) -> Iterator[None]:
    """Within, let `current` answer from the version that `bundle` names, a moment after it names another.

    Args:
        bundle: a bundle, or a folder of versions.
        current: what answers.
        opened: opens a bundle, ready to answer; InputError where it cannot.
        answers: told what answers, after a switch.
    """
    ended = Event()
    thread = Thread(
        target=_follow, args=(bundle, current, opened, answers, ended), name="versions", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(END_SECONDS)


def version_of(about: About) -> str:
    """The day a bundle was built, and a hash of what it says of itself, checksums of all files included."""
    said = json.dumps(asdict(about), sort_keys=True).encode()
    return f"{about.date[:10]}-{hashlib.blake2b(said, digest_size=6).hexdigest()}"


def _follow(
    bundle: Path,
    current: Current,
    opened: Callable[[Path], Recommender],
    answers: Callable[[Recommender], None] | None,
    ended: Event,
) -> None:
    # Not of what `bundle` names, which may have changed since it was opened.
    answering = versions.state(current.served.recommender.folder)
    looked_at = answering
    while not ended.wait(LOOK_SECONDS):
        try:
            now = _look(bundle)
        except InputError as error:
            if str(error) != current.refusal:
                current.refuse(error)
            looked_at = None
            continue
        if now is None and current.refusal is not None:  # What was refused is no longer asked for.
            current.refusal = looked_at = None
        if now is None or now == looked_at:
            continue
        looked_at = now
        try:
            if now != answering:
                current.switch(opened(now[0]))
            answering, current.refusal = now, None
            recommender = current.served.recommender
            progress.say(f"{len(recommender):,} items of {recommender.folder} answer from now on")
            if answers:
                answers(recommender)
        except Exception as error:  # Whatever is wrong with a version, the one that answers goes on.
            current.refuse(error)
        # What is frozen is never freed: the former version may be part of it.
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def _look(bundle: Path) -> tuple[Path, float] | None:
    """As `versions.state`; InputError, too, where nothing can be seen now, such as on a disk that is away."""
    try:
        return versions.state(bundle)
    except OSError as error:
        raise InputError(f"cannot see which version {bundle} names: {error.strerror}") from error
