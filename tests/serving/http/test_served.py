"""Another version of a bundle takes over while requests come."""

import json
import shutil
import threading
import time
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import bundle, versions
from retrieval_leaderboard.serving.http import heads, served
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.http.gate import Limits
from retrieval_leaderboard.serving.http.served import following, version_of
from retrieval_leaderboard.support.errors import InputError
from tests.serving.running import running


@pytest.fixture
def parent(toy_run, dataset, toy_model, tmp_path):
    """A folder of the versions a and b, of which a is current."""
    for name, seed in (("a", 0), ("b", 1)):
        bundle.write(toy_run(seed), dataset, versions.folder(tmp_path / "toy", name), "flat", toy_model)
    versions.make_current(tmp_path / "toy" / "a")
    return tmp_path / "toy"


@pytest.fixture
def service(parent, toy_model, monkeypatch):
    """The address of a service that follows `parent`, and its `Current`."""
    monkeypatch.setattr(served, "LOOK_SECONDS", 0.02)

    def opened(folder):
        return Recommender.open(folder, toy_model, writing=True)

    # A slow machine may keep a client from sending for seconds: not what these tests are about.
    patient = Limits(idle_seconds=60, body_seconds=60)
    monkeypatch.setattr(heads, "HEAD_SECONDS", 60)
    app = create_app(opened(versions.resolve(parent)), patient)
    with (
        running(app, idle_seconds=60) as port,
        app.state.current as current,
        following(parent, current, opened),
    ):
        yield f"http://127.0.0.1:{port}", current


def version(parent, name):
    return version_of(bundle.read_about(parent / name))


def wait_until(true):
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


@contextmanager
def hammering(address, clients=4):
    """Clients that ask one request after the other; yields what they got: (status, version, items)."""
    ended, got = Event(), []

    def ask():
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not ended.is_set():
                try:
                    answer = client.post(f"{address}/recommend", json={"user_id": "u1", "k": 5})
                    said = answer.json()
                    got.append((answer.status_code, said.get("version", said), tuple(said.get("items", ()))))
                except (httpx.HTTPError, ValueError) as error:
                    got.append((repr(error), None, None))

    threads = [Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield got
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_no_request_fails_while_versions_switch(service, parent, toy_model):
    address, current = service
    with hammering(address) as got:
        for count, name in enumerate("baba", 1):
            versions.make_current(parent / name)
            wait_until(lambda count=count: current.switches == count)
            seen = len(got)
            wait_until(lambda seen=seen: len(got) > seen + 20)
    assert [each for each in got if each[0] != 200] == []
    wanted = {
        (version(parent, name), tuple(Recommender.open(parent / name, toy_model).recommend("u1", k=5).items))
        for name in "ab"
    }
    assert {(said, items) for _, said, items in got} == wanted and len(wanted) == 2


def test_the_former_version_is_let_go(service, parent):
    address, current = service

    def is_held():
        try:
            with bundle.hold(parent / "a"):
                return False
        except InputError as error:
            assert "another service writes to" in str(error)
            return True

    assert is_held()
    versions.make_current(parent / "b")
    wait_until(lambda: current.switches == 1)
    # It is closed only after the other one answers.
    wait_until(lambda: not is_held())
    told = httpx.get(f"{address}/metrics", trust_env=False).text
    assert f'version="{version(parent, "b")}"' in told and version(parent, "a") not in told
    assert "retrieval_switches_total 1.0" in told


def test_a_broken_version_is_told_and_the_former_goes_on(service, parent, capsys):
    address, current = service
    broken = shutil.copytree(parent / "b", parent / "c") / "items.parquet"
    broken.write_bytes(broken.read_bytes()[:-9])
    with hammering(address) as got:
        versions.make_current(parent / "c")
        wait_until(lambda: current.failures == 1 and got)
    assert {each[:2] for each in got} == {(200, version(parent, "a"))}
    ready = httpx.get(f"{address}/ready", trust_env=False)
    sentence = f"{broken.resolve()} is not the file that was written: build the bundle again"
    assert ready.status_code == 200 and ready.json()["refused_version"] == sentence
    assert f"{parent / 'a'} goes on answering: {sentence}" in capsys.readouterr().out
    told = httpx.get(f"{address}/metrics", trust_env=False).text
    assert "retrieval_refused_versions_total 1.0" in told
    versions.make_current(parent / "a")
    wait_until(lambda: current.refusal is None)
    assert current.switches == 0


def test_a_link_that_is_away_or_names_nothing_changes_nothing(service, parent):
    address, current = service
    (parent / "current").unlink()
    time.sleep(0.1)
    assert (current.switches, current.failures) == (0, 0)
    (parent / "current").symlink_to("nowhere")
    wait_until(lambda: current.failures == 1)
    assert "nowhere holds no bundle" in current.refusal
    answer = httpx.post(f"{address}/recommend", content=json.dumps({"user_id": "u1"}), trust_env=False,
                        headers={"content-type": "application/json"})  # fmt: skip
    assert answer.json()["version"] == version(parent, "a")
    (parent / "current").unlink()
    wait_until(lambda: current.refusal is None)
    (parent / "current").symlink_to("nowhere")
    wait_until(lambda: current.failures == 2)


def test_a_link_to_itself_is_told_once_and_the_next_one_is_followed(service, parent):
    address, current = service
    (parent / "current").unlink()
    (parent / "current").symlink_to("current")
    wait_until(lambda: current.failures == 1)
    time.sleep(0.2)
    assert current.failures == 1
    refused = httpx.get(f"{address}/ready", trust_env=False).json()["refused_version"]
    assert refused
    versions.make_current(parent / "b")
    wait_until(lambda: current.switches == 1)
    assert httpx.get(f"{address}/ready", trust_env=False).json()["refused_version"] is None


def test_a_folder_that_cannot_be_read_is_looked_at_again(service, parent, monkeypatch):
    _, current = service

    def away(folder):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(versions, "state", away)
        wait_until(lambda: current.failures == 1)
    assert current.refusal == f"cannot see which version {parent} names: Permission denied"
    wait_until(lambda: current.refusal is None)
    versions.make_current(parent / "b")
    wait_until(lambda: current.switches == 1)


def test_a_version_that_is_long_in_opening_does_not_hold_up_the_end(parent, toy_model, monkeypatch):
    monkeypatch.setattr(served, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(served, "END_SECONDS", 0.1)
    begun, go_on = Event(), Event()

    def opened(folder):
        begun.set()
        go_on.wait(60)
        raise InputError("too late")

    with Recommender.open(versions.resolve(parent), toy_model) as recommender:
        with following(parent, served.Current(recommender), opened):
            versions.make_current(parent / "b")
            assert begun.wait(60)
            began = time.monotonic()
        assert time.monotonic() - began < 30
        go_on.set()
        (left,) = (each for each in threading.enumerate() if each.name == "versions")
        left.join()
