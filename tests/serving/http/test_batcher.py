"""Requests that wait together are answered together, each as if it had come alone."""

import asyncio
import time
from threading import Event, current_thread, main_thread

import numpy as np
import pytest

from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.serving.http import batcher as batchers
from retrieval_leaderboard.serving.http.batcher import AT_MOST, Batcher
from retrieval_leaderboard.support.errors import InputError


class Recorded:
    """Answers a request with its user's id, once `go` is set; keeps the batches."""

    def __init__(self):
        self.batches, self.go, self.seconds, self.threads = [], Event(), 0.0, []
        self.go.set()

    def recommend_batch(self, requests):
        self.go.wait(10)
        ends = time.thread_time() + self.seconds
        while time.thread_time() < ends:
            pass
        self.threads.append(current_thread())
        self.batches.append([request.user_id for request in requests])
        if "bug" in self.batches[-1]:
            raise RuntimeError("a bug")
        for request in requests:
            request.check()
        return [request.user_id for request in requests]


@pytest.fixture
def recorded():
    return Recorded()


async def answers(recommender, *requests):
    batcher = Batcher(recommender)
    return await asyncio.gather(*map(batcher.answer, requests), return_exceptions=True)


def test_what_comes_at_once_is_one_batch_of_a_limited_size(recorded):
    users = [f"u{n}" for n in range(AT_MOST + 5)]
    assert asyncio.run(answers(recorded, *map(Request, users))) == users
    assert recorded.batches == [users[:AT_MOST], users[AT_MOST:]]


def test_what_comes_during_a_batch_waits_for_its_end_and_no_longer(recorded):
    async def asked():
        batcher = Batcher(recorded)
        recorded.go.clear()
        first = asyncio.create_task(batcher.answer(Request("first")))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.answer(Request(f"u{n}"))) for n in range(3)]
        await asyncio.sleep(0.05)
        recorded.go.set()
        return await asyncio.wait_for(asyncio.gather(first, *others), 5)

    assert asyncio.run(asked()) == ["first", "u0", "u1", "u2"]
    assert recorded.batches == [["first"], ["u0", "u1", "u2"]]


def test_the_event_loop_answers_as_long_as_that_is_quick(recorded, monkeypatch):
    monkeypatch.setattr(batchers, "QUICK", 0.05)

    async def asked():
        batcher = Batcher(recorded)
        for recorded.seconds in (0.0, 0.0, 0.1, 0.1, 0.0, 0.0):
            assert await batcher.answer(Request("u")) == "u"
        recorded.seconds = 0.01
        await batcher.answer(Request("u"))
        await asyncio.gather(*(batcher.answer(Request("u")) for _ in range(AT_MOST)))

    asyncio.run(asked())
    *alone, together = [thread is main_thread() for thread in recorded.threads]
    assert alone == [False, True, True, False, False, True, True], "where the one before was quick"
    assert not together, "as many as that are not quick"


def test_others_get_their_turn_between_quick_batches(recorded, monkeypatch):
    monkeypatch.setattr(batchers, "QUICK", 10.0)

    async def asked():
        batcher, turns = Batcher(recorded), []
        await batcher.answer(Request("first"))
        waiting = [asyncio.create_task(batcher.answer(Request("u"))) for _ in range(3 * AT_MOST)]
        while not all(task.done() for task in waiting):
            turns.append(sum(task.done() for task in waiting))
            await asyncio.sleep(0)
        return turns

    assert {AT_MOST, 2 * AT_MOST} <= set(asyncio.run(asked()))


def test_one_that_fails_spoils_none_of_the_others(recorded):
    found = asyncio.run(answers(recorded, Request("u1"), Request(), Request("bug"), Request("u2")))
    assert (found[0], found[3]) == ("u1", "u2")
    assert isinstance(found[1], InputError) and isinstance(found[2], RuntimeError)


def test_a_client_that_is_gone_spoils_none_of_the_others(recorded):
    async def asked():
        batcher = Batcher(recorded)
        recorded.go.clear()
        gone, here = (asyncio.create_task(batcher.answer(Request(user))) for user in ("gone", "here"))
        await asyncio.sleep(0.05)
        gone.cancel()
        recorded.go.set()
        return await asyncio.wait_for(here, 5)

    assert asyncio.run(asked()) == "here"


def test_clients_that_are_gone_are_not_answered_after_the_end(recorded):
    async def asked():
        batcher, bugs = Batcher(recorded), []
        asyncio.get_running_loop().set_exception_handler(lambda _, bug: bugs.append(bug))
        recorded.go.clear()
        tasks = [asyncio.create_task(batcher.answer(Request("first")))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.create_task(batcher.answer(Request(f"u{n}"))) for n in range(3)]
        await asyncio.sleep(0.05)
        for each in tasks:
            each.cancel()
        recorded.go.set()
        await asyncio.to_thread(batcher.close)
        await asyncio.sleep(0.05)
        return bugs

    assert asyncio.run(asked()) == []
    assert recorded.batches == [["first"]]


def test_answers_are_those_of_single_requests(infonce_bundle):
    recommender = Recommender.open(infonce_bundle)
    asked = [Request(f"u{n}") if n % 2 else Request(history=[f"i{n}", "i7"], k=10) for n in range(40)]
    for request, answer in zip(asked, asyncio.run(answers(recommender, *asked)), strict=True):
        (alone,) = recommender.recommend_batch([request])
        assert alone.items == answer.items
        np.testing.assert_allclose(alone.scores, answer.scores, rtol=1e-5)
