"""Requests that wait at the same time are answered together: by one pass of the model and one search."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from retrieval_leaderboard.serving.requests import Answer, Request
from retrieval_leaderboard.serving.service import Recommender

AT_MOST = 16
"""Requests that are answered together: more save little, and from 20 on faiss rounds scores otherwise"""
QUICK = 0.005
"""Seconds that a batch may hold up the event loop: Python lets a thread wait as long for its turn"""

Waiting = tuple[Request, "asyncio.Future[Answer]"]


class Batcher:
    """Answers on the event loop where that is quick, as the latest batch says; else on threads of its own.

    Nor does the event loop answer while threads of others search or change the catalog: a search waits for
    a change, and that for the searches before it, however long.

    To hand a quick batch to a thread costs more than it saves, and makes many small batches of a large one.
    What comes while all threads work is the next batch. A request that finds one idle waits for no other. A
    batcher belongs to one event loop.
    """

    def __init__(self, recommender: Recommender, threads: int = 1) -> None:
        self._recommender = recommender
        self._waiting: deque[Waiting] = deque()
        self._idle = threads
        self._beside = 0
        self._threads = ThreadPoolExecutor(self._idle, thread_name_prefix="answers")
        self._seconds = math.inf
        """of the processor that a request of the latest batch took; the first one is not known to be quick"""
        self._planned = False
        """whether `_start` is about to be called"""

    async def answer(self, request: Request) -> Answer:
        """The answer to one request; what `Recommender.recommend` raises for it is raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, future))
        # Not at once: what else has come is looked at first.
        self._start_soon(loop)
        return await future

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Within, a thread of others searches or changes the catalog; for the thread of the event loop."""
        self._beside += 1
        try:
            yield
        finally:
            self._beside -= 1

    def close(self) -> None:
        """End the threads; nobody waits for an answer any more."""
        self._threads.shutdown()

    def _start_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Once, however many requests ask for it."""
        if not self._planned:
            self._planned = True
            loop.call_soon(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer a batch, or hand batches to idle threads, without requests whose clients are gone."""
        self._planned = False
        while self._idle and self._waiting:
            first = [self._waiting.popleft() for _ in range(min(AT_MOST, len(self._waiting)))]
            batch = [(request, future) for request, future in first if not future.done()]
            if not batch:  # Those who are gone may have waited past `close`.
                continue
            if self._seconds * len(batch) <= QUICK and not self._beside:
                self._give(batch, *self._timed(batch))
                # These answers are sent before the next batch is begun.
                self._start_soon(loop)
                return
            self._idle -= 1
            self._threads.submit(self._work, loop, batch)

    def _work(self, loop: asyncio.AbstractEventLoop, batch: list[Waiting]) -> None:
        loop.call_soon_threadsafe(self._finish, loop, batch, *self._timed(batch))

    def _timed(self, batch: list[Waiting]) -> tuple[Sequence[Answer | Exception], float]:
        """Outcomes, and seconds a request: of the processor, so that it does not matter what else runs."""
        began = time.thread_time()
        outcomes = self._outcomes([request for request, _ in batch])
        return outcomes, (time.thread_time() - began) / len(batch)

    def _outcomes(self, requests: list[Request]) -> Sequence[Answer | Exception]:
        """An answer or error each; one that is refused spoils none of the others."""
        try:
            return self._recommender.recommend_batch(requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
            return [outcome for request in requests for outcome in self._outcomes([request])]

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[Waiting],
        outcomes: Sequence[Answer | Exception],
        seconds: float,
    ) -> None:
        self._idle += 1
        self._start(loop)
        self._give(batch, outcomes, seconds)

    def _give(self, batch: list[Waiting], outcomes: Sequence[Answer | Exception], seconds: float) -> None:
        self._seconds = seconds
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():  # Its client is gone.
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
