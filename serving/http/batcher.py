"""Requests that wait at the same time are answered together: by one pass of the model and one search."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from retrieval_leaderboard.serving.requests import Answer, Request
from retrieval_leaderboard.serving.service import Recommender
from retrieval_leaderboard.support.system import cores

AT_MOST = 16
"""Requests that are answered together: more save little, and from 20 on faiss rounds scores otherwise"""

Waiting = tuple[Request, "asyncio.Future[Answer]"]


class Batcher:
    """Answers on threads of its own, all but one core; what comes while they work is the next batch.

    A request that finds a thread idle waits for no other. It belongs to one event loop.
    """

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._waiting: deque[Waiting] = deque()
        self._idle = max(1, cores.available() - 1)
        self._threads = ThreadPoolExecutor(self._idle, thread_name_prefix="answers")

    async def answer(self, request: Request) -> Answer:
        """The answer to one request; what `Recommender.recommend` raises for it is raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, future))
        # Not at once: what else has come is looked at first.
        loop.call_soon(self._start, loop)
        return await future

    def close(self) -> None:
        """End the threads; nobody waits for an answer any more."""
        self._threads.shutdown()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand batches to idle threads, without requests whose clients are gone."""
        while self._idle and self._waiting:
            first = [self._waiting.popleft() for _ in range(min(AT_MOST, len(self._waiting)))]
            batch = [(request, future) for request, future in first if not future.done()]
            if batch:  # Those who are gone may have waited past `close`.
                self._idle -= 1
                self._threads.submit(self._work, loop, batch)

    def _work(self, loop: asyncio.AbstractEventLoop, batch: list[Waiting]) -> None:
        outcomes = self._outcomes([request for request, _ in batch])
        loop.call_soon_threadsafe(self._finish, loop, batch, outcomes)

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
    ) -> None:
        self._idle += 1
        self._start(loop)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():  # Its client is gone.
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
