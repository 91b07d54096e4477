"""Counters in Prometheus' format, and the access log."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.http.gate import Limits
from retrieval_leaderboard.serving.http.served import version_of
from tests.serving.running import HEAD, answer, connected, running


@pytest.fixture
def recommender(opened):
    return opened()


def samples(client):
    """Name and labels of each sample → its value."""
    answered = client.get("/metrics")
    assert answered.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answered.text)
    return {
        (each.name, *sorted(each.labels.items())): each.value
        for family in families
        for each in family.samples
    }


def requests(path, status):
    return ("retrieval_requests_total", ("path", path), ("status", str(status)))


def test_requests_are_counted_by_path_and_status(recommender):
    app = create_app(recommender, Limits(idle_seconds=0.1))
    with running(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for body in ({"user_id": "u1"}, {"user_id": "u2"}, {}):
            client.post("/recommend", json=body)
        for path in ("/one", "/two", "/recommend"):
            client.get(path)
        client.get("/health", headers={"host": "evil.example"})
        answer(connected(port, HEAD + b"Content-Length: 9\r\n\r\n{"))
        found = samples(client)
    expected = {
        requests("/recommend", 200): 2, requests("/recommend", 422): 1, requests("/recommend", 405): 1,
        requests("/recommend", 408): 1, requests("other", 404): 2, requests("/health", 400): 1,
        ("retrieval_request_seconds_count", ("path", "/recommend")): 5, ("retrieval_items",): 300,
        ("retrieval_bundle_info", ("model", "described"), ("version", version_of(recommender.about))): 1,
    }  # fmt: skip
    assert {name: found.get(name) for name in expected} == expected
    late = ("retrieval_request_seconds_bucket", ("le", "0.05"), ("path", "/recommend"))
    assert found[late] <= 4, "the body that did not come took longer"


def test_a_bug_is_counted_as_what_its_client_got(recommender, monkeypatch):
    monkeypatch.setattr(recommender, "recommend_batch", lambda _: 1 / 0)
    app = create_app(recommender)
    with running(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        # uvicorn ends the connection of a bug: the next request is not to meet it.
        last = {"connection": "close"}
        assert client.post("/recommend", json={"user_id": "u1"}, headers=last).status_code == 500
        assert samples(client)[requests("/recommend", 500)] == 1


def test_the_access_log_has_a_line_for_every_request(recommender, capsys):
    with running(create_app(recommender, access_log=True)) as port:
        httpx.post(f"http://127.0.0.1:{port}/recommend", json={"user_id": "u1"}, trust_env=False)
        httpx.get(f"http://127.0.0.1:{port}/a%0Ab?secret=1", trust_env=False)
    first, second = capsys.readouterr().out.splitlines()
    assert "127.0.0.1 POST /recommend 200 " in first and first.endswith("ms")
    assert "127.0.0.1 GET /a%0Ab 404 " in second


def test_without_it_nothing_is_printed(recommender, capsys):
    with running(create_app(recommender)) as port:
        httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
    assert capsys.readouterr().out == ""
