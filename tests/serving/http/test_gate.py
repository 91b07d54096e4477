"""Clients that are slow, many, or ask by another name."""

import time
from contextlib import ExitStack

import httpx
import pytest

from retrieval_leaderboard.serving.http import heads
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.http.gate import Limits
from tests.serving.running import HEAD, answer, connected, running

UNFINISHED = HEAD + b'Content-Length: 100\r\n\r\n{"user_'
WHOLE = b'{"user_id": "u1"}'


@pytest.fixture
def served(opened):
    """Serves under limits of the test's choice; yields the port."""
    with ExitStack() as stack:
        yield lambda *hosts, **limits: stack.enter_context(
            running(create_app(opened(), Limits(**limits), *([hosts] if hosts else [])))
        )


def health(port, **headers):
    return httpx.get(f"http://127.0.0.1:{port}/health", headers=headers, trust_env=False)


def test_a_body_that_does_not_come_gets_a_sentence(served):
    port = served(idle_seconds=0.2)
    status, headers, sentence = answer(connected(port, UNFINISHED))
    assert status == 408 and headers["connection"] == "close"
    assert sentence == "the body did not come: send a part of it every 0.2 seconds, and all of it within 20"


def test_a_body_in_drops_ends_too(served):
    port = served(idle_seconds=5, body_seconds=0.4)
    connection, began = connected(port, UNFINISHED), time.monotonic()
    for _ in range(3):
        time.sleep(0.1)
        connection.sendall(b" ")
    assert answer(connection)[0] == 408 and time.monotonic() - began < 5


def test_the_head_of_a_request_has_a_time_too(served, monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.3)
    port, began = served(), time.monotonic()
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE
    for parts in ((), (HEAD,), (whole, HEAD)):
        with connected(port) as connection:
            for part in parts:
                connection.sendall(part)
                assert part is not whole or b"200 OK" in connection.recv(65536)
            while connection.recv(65536):
                pass
    assert time.monotonic() - began < 4, "before the five seconds of an idle connection"


def test_too_many_open_requests_are_told_to_retry(served):
    port = served(open_requests=3)
    waiting = [connected(port, UNFINISHED) for _ in range(3)]
    time.sleep(0.2)
    refused = health(port)
    assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
    assert refused.json()["detail"] == "3 requests are open: retry in a second"
    for connection in waiting:
        connection.close()
    time.sleep(0.2)
    assert health(port).status_code == 200


def test_bodies_share_a_memory(served):
    port = served(open_bytes=60_000)
    waiting = connected(port, HEAD + b"Content-Length: 50000\r\n\r\n", b" " * 40_000)
    time.sleep(0.2)
    status, headers, sentence = answer(
        connected(port, HEAD + b"Content-Length: 30000\r\n\r\n", b" " * 30_000)
    )
    assert status == 503 and headers["retry-after"] == "1" and "take all the memory" in sentence
    waiting.close()
    time.sleep(0.2)
    whole = WHOLE + b" " * 30_000
    answered = httpx.post(f"http://127.0.0.1:{port}/recommend", content=whole, trust_env=False,
                          headers={"content-type": "application/json"})  # fmt: skip
    assert answered.status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]", "[::1]:8000"])
def test_loopback_names_are_allowed(served, host):
    assert health(served(), host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil:80", "", "::1"])
def test_another_host_is_refused(served, host):
    refused = health(served(), host=host)
    assert refused.status_code == 400 and "is not allowed: allow it by --allowed-host" in refused.text


def test_two_hosts_are_refused(served):
    sent = connected(served(), b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    status, _, detail = answer(sent)
    assert (status, detail) == (400, "the request has several Host headers: send one")


def test_hosts_can_be_allowed(served):
    port = served("shop.example")
    assert health(port, host="shop.example:443").status_code == 200
    assert health(port, host="localhost").status_code == 400


def test_every_host_can_be_allowed(served):
    assert health(served("*"), host="any").status_code == 200


def test_head_is_get_without_a_body(served):
    port = served()
    asked = httpx.head(f"http://127.0.0.1:{port}/health", trust_env=False)
    assert asked.status_code == 200 and asked.content == b""
    assert httpx.head(f"http://127.0.0.1:{port}/recommend", trust_env=False).status_code == 405


def test_the_end_does_not_wait_for_an_unfinished_body(opened):
    with running(create_app(opened(), Limits(idle_seconds=0.5))) as port:
        held = connected(port, UNFINISHED)
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    held.close()


@pytest.mark.parametrize("part", [b"X-Long: " + b"a" * 8000, b"a" * 8000, b"X: 1\r\n" * 1300])
def test_a_head_without_end_is_not_kept(served, part):
    with connected(served(), HEAD) as connection, pytest.raises(ConnectionError):
        for _ in range(200):
            connection.sendall(part)
            time.sleep(0.001)


def test_a_large_body_and_many_requests_are_no_long_head(served):
    whole = HEAD + b"Content-Length: 100000\r\n\r\n" + WHOLE + b" " * (100_000 - len(WHOLE))
    with connected(served()) as connection:
        for _ in range(3):
            connection.sendall(whole)
            assert b"200 OK" in connection.recv(65536)
