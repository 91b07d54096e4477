"""The schema's limits and the service's refusals, by a real client; under load: test_load.py."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import httpx
import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.http.schemas import MAX_BATCH, MAX_BODY_BYTES
from retrieval_leaderboard.serving.http.served import version_of
from retrieval_leaderboard.support.errors import InputError
from tests.serving.running import running

JSON = {"content-type": "application/json"}
REFUSED = [
    ({"user_id": "u1", "k": 0}, "body.k: "),
    ({"user_id": "u1", "k": 1001}, "body.k: "),
    ({"user_id": "u1", "k": "20"}, "body.k: "),
    ({"user_id": 1}, "body.user_id: "),
    ({"user_id": ""}, "body.user_id: "),
    ({"user_id": "u" * 257}, "body.user_id: "),
    ({"history": ["i1"] * 1001}, "body.history: "),
    ({"history": "i1"}, "body.history: "),
    ({"histroy": ["i1"]}, "body.histroy: "),
    ({"user_id": "u1", "timestamp": -1}, "body.timestamp: "),
    ({"user_id": "u1", "context": {"plac": "left"}}, "unknown context feature 'plac': did you mean 'place'"),
    ({"user_id": "u1", "features": {f"c{n}": 1 for n in range(65)}}, "body.features: "),
    ({"user_id": "u1", "features": {"tags": ["t"] * 1025}}, "body.features.tags"),
    ([], "body: "),
    ({"user_id": "\ud800"}, "body.user_id: "),
    ({"history": ["\ud800"]}, "body.history.0: "),
    ({"features": {"\ud800": 1}}, "body.features"),
    ({}, "the request names no user"),
    ({"user_id": "u1", "filter": {"colr": ["c1"]}}, "unknown column of filter 'colr': did you mean 'color'"),
    ({"user_id": "u1", "filter": {"price": ["5"]}}, "filter.price must be a range"),
    (
        {"user_id": "u1", "filter": {"price": {"min": 2, "max": 1}}},
        "filter.price is empty, its min 2 is above",
    ),
    (
        {"user_id": "u1", "filter": {"price": {"low": 2}}},
        "body.filter.price: must be a list of at most 1,024 values, or a range",
    ),
    (
        {"user_id": "u1", "filter": {"price": {"min": "2"}}},
        "body.filter.price: must be a list of at most 1,024 values, or a range",
    ),
    (
        {"user_id": "u1", "filter": {"color": "c1"}},
        "body.filter.color: must be a list of at most 1,024 values, or a range",
    ),
    (
        {"user_id": "u1", "filter": {"color": ["c"] * 1025}},
        "body.filter.color: must be a list of at most 1,024 values, or a range",
    ),
    ({"user_id": "u1", "filter": ["color"]}, "body.filter: "),
    ({"features": {"segmnt": "a"}}, "unknown user feature 'segmnt': did you mean 'segment'"),
]


@pytest.fixture
def recommender(opened):
    return opened()


@pytest.fixture
def client(recommender):
    """A client of a server in a thread of this process, whose recommender a test can reach."""
    with running(create_app(recommender)) as port:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client


def refusal(answer, status=422):
    """The one sentence of a refusal."""
    assert answer.status_code == status, answer.text
    (key,) = answer.json()
    assert key == "detail" and "Traceback" not in answer.text
    return answer.json()["detail"]


def test_health_tells_the_bundle_by_its_content(client, recommender):
    version = version_of(recommender.about)
    assert client.get("/health").json() == {
        "status": "ok", "model": "described", "version": version, "dataset": "toy", "index": "flat",
        "items": 300,
    }  # fmt: skip
    assert version.startswith(f"{recommender.about.date[:10]}-")
    other = replace(recommender.about, model_hash="of other weights")
    assert version_of(other) != version == version_of(replace(recommender.about))


def test_answers_are_the_librarys(client, recommender):
    asked = [
        {"user_id": "u1"},
        {"history": ["i1", "who"], "k": 7},
        {"user_id": "new", "features": {"segment": "z"}},
        {"user_id": "u1", "timestamp": 7200, "context": {"place": "up"}, "exclude_seen": False},
        {"user_id": "u1", "exclude": recommender.recommend("u1").items[:3]},
        {"user_id": "u1", "filter": {"color": ["c1", "c2"], "price": {"min": 5, "max": 600.5}}},
        {"history": ["i1"], "filter": {"tags": ["t1"]}, "exclude": ["i1", "i2"], "exclude_seen": False},
        {"user_id": "u1", "filter": {"color": ["none has it"]}},
    ]
    served = {"model": "described", "version": version_of(recommender.about)}
    for body in asked:
        expected = served | vars(recommender.recommend(**body))
        assert client.post("/recommend", json=body).json() == expected
    batch = client.post("/recommend/batch", json={"requests": asked}).json()["answers"]
    assert [each["items"] for each in batch] == [recommender.recommend(**body).items for body in asked]


def test_an_added_item_is_recommended_and_survives(client, recommender, new_item, toy_model):
    added = client.post(
        "/items", json={"item_id": "new", "features": new_item | {"color": "mauve", "price": 0}}
    )
    assert added.status_code == 201
    served = {"model": "described", "version": version_of(recommender.about)}
    assert added.json() == served | {"item_id": "new", "unknown_values": {"color": ["mauve"]}}
    for one in (recommender, type(recommender).open(recommender.folder, toy_model)):
        assert "new" in one.recommend("u1", k=1000).items
        assert one.recommend("u1", filter={"color": ["mauve"], "price": {"max": 0}}).items == ["new"]
    again = client.post("/items", json={"item_id": "new", "features": new_item})
    assert refusal(again) == "the item 'new' is in the catalog already: remove it first"


def test_bad_requests_get_one_sentence(client, subtests):
    for body, sentence in REFUSED:
        with subtests.test(sentence):
            answer = client.post("/recommend", content=json.dumps(body), headers=JSON)
            assert sentence in refusal(answer)


def test_a_list_of_errors_gets_the_first_alone(client):
    """Millions of them would hold up everybody."""
    wrong = {"history": [1] * 1000, "exclude": [1] * 1000}
    first = "body.history.0: Input should be a valid string; body.exclude.0: Input should be a valid string"
    assert refusal(client.post("/recommend", json=wrong)) == first
    batch = refusal(client.post("/recommend/batch", json={"requests": [wrong] * 2}))
    assert batch.count(";") == 1 and "requests.0.exclude.0: " in batch
    told = refusal(client.post("/recommend", json={"features": {"tags": [[], []]}}))
    assert ".0" in told and ".1" not in told


def test_what_is_no_json_is_refused(client):
    assert "JSON" in refusal(client.post("/recommend", content=b"{not json", headers=JSON))
    nan = b'{"item_id": "new", "features": {"color": "c1", "tags": [], "price": NaN}}'
    assert "'price' must be finite" in refusal(client.post("/items", content=nan, headers=JSON))
    assert "body.k" in refusal(client.post("/recommend", content=b'{"user_id": "u", "k": NaN}', headers=JSON))


def test_too_large_a_batch_and_too_large_a_body(client):
    most = {"requests": [{"user_id": "u1", "k": 1}] * MAX_BATCH}
    assert len(client.post("/recommend/batch", json=most).json()["answers"]) == MAX_BATCH
    most["requests"].append({"user_id": "u1"})
    assert "body.requests: " in refusal(client.post("/recommend/batch", json=most))
    large = json.dumps({"user_id": "u" * MAX_BODY_BYTES}).encode()
    assert "larger than 4,194,304 bytes" in refusal(client.post("/recommend", content=large), 413)
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    assert "larger than" in refusal(client.post("/recommend", content=pieces), 413), "no length is told"


def test_a_bug_is_an_error_that_tells_nothing(client, recommender, monkeypatch):
    def broken(_):
        raise RuntimeError("secret path /etc")

    monkeypatch.setattr(recommender, "recommend_batch", broken)
    assert refusal(client.post("/recommend", json={"user_id": "u1"}), 500) == "internal error"


def test_an_item_that_cannot_be_kept_is_not_added(client, recommender, new_item, monkeypatch):
    def full():
        raise InputError("cannot write /secret: no space left")

    monkeypatch.setattr(recommender, "save", full)
    answer = client.post("/items", json={"item_id": "new", "features": new_item})
    assert refusal(answer, 507) == "the item could not be saved: the server cannot write"
    assert len(recommender) == 300


def test_an_item_for_a_bundle_that_changed_is_refused(client, recommender, new_item):
    (recommender.folder / "changes.log").write_text("of another")
    answer = client.post("/items", json={"item_id": "new", "features": new_item})
    assert "the bundle was changed by another process; restart" in refusal(answer, 409)
    assert len(recommender) == 300


def test_an_item_for_a_bundle_that_was_removed_is_refused(opened, toy_model, new_item):
    folder = opened().folder
    with Recommender.open(folder, toy_model, writing=True) as recommender:
        with running(create_app(recommender)) as port:
            shutil.rmtree(folder)
            body = {"item_id": "new", "features": new_item}
            answer = httpx.post(f"http://127.0.0.1:{port}/items", json=body, trust_env=False)
    assert "the bundle was removed; let the service answer from one that is there" in refusal(answer, 409)
    assert len(recommender) == 300 and not folder.exists()


def test_a_service_that_only_reads_takes_no_items(recommender, new_item):
    with running(create_app(recommender, takes_items=False)) as port:
        address = f"http://127.0.0.1:{port}"
        answer = httpx.post(
            f"{address}/items", json={"item_id": "new", "features": new_item}, trust_env=False
        )
    assert "only reads its bundle" in refusal(answer, 403) and len(recommender) == 300


def test_moments_are_read_as_those_of_a_log_are(client):
    def asked(moment):
        return client.post("/recommend", json={"user_id": "u1", "timestamp": moment})

    for moment in (1580472000, 1580472000000, 1580472000000000000, "2020-01-31T12:00:00Z", 1580472000.5):
        assert asked(moment).status_code == 200, moment
    for moment in (-1, True, 20200131, "soon", "1960-01-01", [1]):
        assert "body.timestamp" in refusal(asked(moment))
    assert "timestamp is 'soon': give unix seconds" in refusal(asked("soon"))


def test_openapi_tells_every_answer(client):
    page = client.get("/openapi.json").json()
    told = {path: set(next(iter(methods.values()))["responses"]) for path, methods in page["paths"].items()}
    everywhere = {"400", "401", "408", "413", "503"}
    assert told["/health"] == told["/ready"] == told["/metrics"] == everywhere | {"200"}
    assert told["/recommend"] == told["/recommend/batch"] == everywhere | {"200", "422", "500"}
    assert told["/items"] == everywhere | {"201", "403", "409", "422", "500", "507"}
    for methods in page["paths"].values():
        for status, answer in next(iter(methods.values()))["responses"].items():
            if status >= "400":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Refusal"} and answer["description"]
    fields = page["components"]["schemas"]["Recommend"]["properties"]
    assert (fields["k"]["default"], fields["exclude"]["default"]) == (20, [])


def test_a_body_of_another_type_or_spelling_is_read_as_fastapi_reads_it(client):
    asked = json.dumps({"user_id": "u1"})
    for kind, status in (
        ("application/json; charset=utf-8", 200),
        ("application/x+json", 200),
        ("text/plain", 422),
    ):
        answered = client.post("/recommend", content=asked, headers={"content-type": kind})
        assert answered.status_code == status, kind
    no_json = "the body is not sent as JSON: give the header 'Content-Type: "
    assert no_json in refusal(answered)
    for kind, is_json in (("Application/JSON; charset=utf-8", True), ("text/json", False)):
        answered = client.post("/recommend", content=b'{"k": 0}', headers={"content-type": kind})
        assert (no_json in refusal(answered)) is not is_json


def test_a_key_that_stands_twice_is_refused(client, new_item):
    twice = b'{"user_id": "u1", "k": 3, "k": 4}'
    item = json.dumps({"item_id": "new", "features": new_item})
    for path, body, key in (
        ("/recommend", twice, "k"),
        ("/recommend", '{"user_id": "u1", "filter": {"price": {"min": 1, "min": 2}}}', "min"),
        ("/recommend/batch", b'{"requests": [{"user_id": "u1"}, ' + twice + b"]}", "k"),
        ("/items", item.replace('"price"', '"color": "c1", "price"'), "color"),
    ):
        for kind in ("application/json", "application/x+json"):
            answer = client.post(path, content=body, headers={"content-type": kind})
            assert refusal(answer) == f"body: the key '{key}' is there twice: give each key once"
    long = client.post("/recommend", content='{"%s": 1, "%s": 2}' % (("a" * 5000,) * 2), headers=JSON)
    assert len(refusal(long)) < 200
    in_utf_16 = client.post("/recommend", content=twice.decode().encode("utf-16"), headers=JSON)
    assert "the key 'k' is there twice" in refusal(in_utf_16)
    assert client.get("/health").json()["items"] == 300


def test_a_refused_batch_names_the_request(client):
    asked = {"requests": [{"user_id": "u1"}, {"user_id": "u1", "filter": {"price": [1]}}]}
    told = refusal(client.post("/recommend/batch", json=asked))
    assert told.startswith("requests[1]: filter.price must be a range")
    asked["requests"][1] = {"user_id": "u1", "k": 0}
    assert "body.requests.1.k: " in refusal(client.post("/recommend/batch", json=asked))


def test_an_items_id_is_kept_without_the_blanks_around_it(client, new_item):
    added = client.post("/items", json={"item_id": " new ", "features": new_item})
    assert added.json()["item_id"] == "new"
    assert "new" in client.post("/recommend", json={"user_id": "u1", "k": 1000}).json()["items"]
    blank = client.post("/items", json={"item_id": " ", "features": new_item})
    assert refusal(blank) == "item_id must be text, and not empty or blank: not ''"


def test_a_change_that_waits_for_a_long_search_holds_up_no_other_request(
    client, recommender, new_item, monkeypatch
):
    """The event loop waits for no lock: a search after a change waits for it, and it for a search before."""
    searches, ends, search = Event(), Event(), recommender._answers
    waits = recommender._lock.writing

    def searched(requests):
        if len(requests) > 1:
            with recommender._lock.reading():
                searches.set()
                ends.wait(20)
        return search(requests)

    changes = Event()

    def changing():
        changes.set()
        return waits()

    assert all(client.post("/recommend", json={"user_id": "u1"}).is_success for _ in range(5))
    monkeypatch.setattr(recommender, "_answers", searched)
    monkeypatch.setattr(recommender._lock, "writing", changing)
    two, item = {"requests": [{"user_id": "u1"}] * 2}, {"item_id": "new", "features": new_item}
    with ThreadPoolExecutor() as threads:
        try:
            batch = threads.submit(client.post, "/recommend/batch", json=two, timeout=30)
            assert searches.wait(10)
            added = threads.submit(client.post, "/items", json=item, timeout=30)
            assert changes.wait(10)
            single = threads.submit(client.post, "/recommend", json={"user_id": "u1"}, timeout=30)
            time.sleep(0.2)
            assert client.get("/health", timeout=5).is_success and not single.done()
        finally:
            ends.set()
        assert [each.result().status_code for each in (batch, added, single)] == [200, 201, 200]


def test_ready_asks_itself(client, recommender, monkeypatch):
    assert client.get("/ready").json()["status"] == "ready"
    monkeypatch.setattr(recommender, "recommend_batch", lambda _: 1 / 0)
    late = client.get("/ready")
    assert refusal(late, 503) == "the service did not answer a request within 1 seconds"
    assert late.headers["retry-after"] == "1" and client.get("/health").status_code == 200


def test_the_page_of_all_requests(client):
    assert "swagger" in client.get("/docs").text


def test_other_paths_and_methods(client):
    assert client.get("/recommend").status_code == 405
    assert client.get("/nothing").status_code == 404
