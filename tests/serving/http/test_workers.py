"""Several processes on one port, from outside: they are one service."""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving.load import free_port
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import bundle, versions
from retrieval_leaderboard.serving.http.served import version_of
from tests.serving.running import HEAD, connected

WORKERS, PATIENCE = 2, 600
MODEL = "tests/serving/described.py:Described"


class Service:
    """A service of several processes; each request goes over a connection of its own."""

    def __init__(self, parent, errors):
        self.parent, self.port, self.errors = parent, free_port(), errors
        line = [sys.executable, "-m", "serving", "http", "--bundle", str(parent), "--model", MODEL]
        line += ["--port", str(self.port), "--workers", str(WORKERS)]
        with errors.open("w") as told:
            self.process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=told, text=True)
        self.said = self.process.stdout.readline()

    def ask(self, path, body=None):
        address = f"http://127.0.0.1:{self.port}{path}"
        method = "GET" if body is None else "POST"
        return httpx.request(method, address, json=body, trust_env=False, timeout=PATIENCE)

    def samples(self, name):
        """Labels → value, of one metric."""
        found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", self.ask("/metrics").text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def pids(self):
        """The processes that answer."""
        return {int(re.search(r'pid="(\d+)"', each)[1]) for each in self.samples("process_cpu_seconds_total")}

    def version(self, name):
        return version_of(bundle.read_about(self.parent / name))


@pytest.fixture(scope="module")
def service(toy_run, dataset, toy_model, tmp_path_factory):
    """On a folder of the versions a and b, of which a is current."""
    parent = tmp_path_factory.mktemp("served") / "toy"
    for name, seed in (("a", 0), ("b", 1)):
        bundle.write(toy_run(seed), dataset, versions.folder(parent, name), "flat", toy_model)
    versions.make_current(parent / "a")
    service = Service(parent, parent.parent / "errors")
    yield service
    service.process.kill()
    service.process.wait()
    service.process.stdout.close()


def wait_until(true):
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


pytestmark = pytest.mark.slow


def test_all_of_them_answer_and_are_counted_together(service):
    assert service.said == f"300 items at http://127.0.0.1:{service.port}, by {WORKERS} processes\n"
    before = sum(service.samples("retrieval_request_seconds_count").values())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.ask("/recommend", {"user_id": "u1"}).json(), range(80)))
    assert all(answer == answers[0] for answer in answers)
    asked = service.samples("retrieval_request_seconds_count")
    assert asked['{path="/recommend"}'] == 80
    # The request that asks is counted once it is answered.
    assert sum(asked.values()) == before + 81
    assert service.samples("retrieval_requests_total")['{path="/recommend",status="200"}'] == 80
    assert len(service.pids()) == WORKERS and service.process.pid not in service.pids()
    assert service.ask("/ready").json()["version"] == answers[0]["version"] == service.version("a")


def test_an_item_is_everywhere_once_it_is_acknowledged(service, new_item):
    def added(name):
        answer = service.ask("/items", {"item_id": name, "features": new_item | {"color": name}})
        assert (answer.status_code, answer.json()["version"]) == (201, service.version("a"))
        found = [service.ask("/recommend", {"user_id": "u1", "filter": {"color": [name]}}) for _ in range(6)]
        return [each.json()["items"] for each in found]

    names = [f"new{n}" for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(added, names)) == [[[name]] * 6 for name in names]
    twice = service.ask("/items", {"item_id": "new0", "features": new_item})
    assert twice.status_code == 422 and "in the catalog already" in twice.json()["detail"]
    assert {service.ask("/health").json()["items"] for _ in range(8)} == {312}


def test_what_was_acknowledged_outlives_any_of_them(service, new_item, toy_model):
    before, kept = service.ask("/health").json()["items"], []

    def add(prefix, ended):
        for number in itertools.count():
            if ended.is_set():
                return
            item = {"item_id": f"{prefix}-{number}", "features": new_item}
            try:
                answer = service.ask("/items", item)
            except httpx.TransportError:  # Of the process that was killed.
                continue
            assert answer.status_code == 201
            kept.append(item["item_id"])

    for killed in service.pids():
        ended = Event()
        with ThreadPoolExecutor(3) as pool:
            adding = [pool.submit(add, f"{killed}-{client}", ended) for client in range(3)]
            seen = len(kept)
            try:
                wait_until(lambda seen=seen: len(kept) > seen + 5)
                os.kill(killed, signal.SIGKILL)
                told = service.process.stdout.readline()
                where = f"another takes its place and begins with {service.parent.resolve() / 'a'}"
                assert f"{where}: it was killed by SIGKILL" in told
                wait_until(lambda killed=killed: len(service.pids() - {killed}) == WORKERS)
            finally:
                ended.set()
            for each in adding:
                each.result()
    on_disk = Recommender.open(service.parent / "a", toy_model)
    assert len(on_disk.item_vectors(kept)) == len(kept) > 10
    # One that was not acknowledged may be there too.
    assert before + len(kept) <= len(on_disk) <= before + len(kept) + 2 * 3
    assert {service.ask("/health").json()["items"] for _ in range(8)} == {len(on_disk)}


@contextmanager
def hammering(service, clients=4):
    """Clients that ask one request after the other, over connections that stay."""
    ended, got = Event(), []

    def ask():
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            while not ended.is_set():
                body = {"user_id": "u1", "k": 5}
                answer = client.post(f"http://127.0.0.1:{service.port}/recommend", json=body)
                got.append((answer.status_code, answer.json().get("version")))

    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask) for _ in range(clients)]
        try:
            yield got
        finally:
            ended.set()
            for each in asking:
                each.result()


def test_all_of_them_follow_the_current_version_and_no_request_fails(service):
    with hammering(service) as got:
        versions.make_current(service.parent / "b")
        wait_until(lambda: service.samples("retrieval_switches_total") == {"": WORKERS})
        seen = len(got)
        wait_until(lambda: len(got) > seen + 20)
    assert {status for status, _ in got} == {200}
    assert {version for _, version in got} <= {service.version(name) for name in "ab"}
    assert {version for _, version in got[seen + 8 :]} == {service.version("b")}


def test_one_that_dies_is_replaced_while_the_link_names_a_damaged_version(service):
    good, damaged = service.parent / "b", service.parent / "damaged"
    wait_until(lambda: service.ask("/ready").json()["version"] == service.version("b"))
    items = shutil.copytree(good, damaged) / "items.parquet"
    items.write_bytes(items.read_bytes()[:-9])
    versions.make_current(damaged)
    wait_until(lambda: service.samples("retrieval_refused_versions_total") == {"": WORKERS})
    for killed in service.pids():
        os.kill(killed, signal.SIGKILL)
        place = f"another takes its place and begins with {good.resolve()}: it was killed by SIGKILL"
        wait_until(lambda place=place: place in service.process.stdout.readline())
        wait_until(lambda killed=killed: len(service.pids() - {killed}) == WORKERS)
    # A link that names what answers already is no switch, but seen by those that were refused too.
    wait_until(lambda: service.samples("retrieval_refused_versions_total")[""] >= 2 * WORKERS)
    assert service.version("b") == service.ask("/recommend", {"user_id": "u1"}).json()["version"]
    assert "damaged/items.parquet is not the file" in service.ask("/ready").json()["refused_version"]
    versions.make_current(good)
    wait_until(lambda: not any(service.ask("/ready").json()["refused_version"] for _ in range(8)))


def test_sigterm_lets_them_answer_and_leaves_nothing_behind(service, new_item):
    current = (service.parent / "current").resolve()
    assert service.ask("/items", {"item_id": "last", "features": new_item}).status_code == 201
    assert (current / "changes.log").exists()
    body = json.dumps({"user_id": "u1"}).encode()
    with connected(service.port, HEAD + b"Content-Length: %d\r\n\r\n" % len(body)) as begun:
        time.sleep(0.5)  # Until a process has accepted it.
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        begun.sendall(body)
        assert begun.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert service.process.wait(PATIENCE) == 0
    assert service.errors.read_text() == ""
    assert not (current / "changes.log").exists() and (current / "changes.parquet").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.port))


def test_a_bundle_that_cannot_be_opened_is_told_once(toy_bundle, tmp_path):
    damaged = shutil.copytree(toy_bundle("flat"), tmp_path / "damaged") / "items.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    line = ["http", "--bundle", str(damaged.parent), "--model", MODEL, "--port", str(free_port())]
    done = subprocess.run([sys.executable, "-m", "serving", *line, "--workers", "2", "--read-only"],
                          cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {damaged} is not the file that was written: build the bundle again\n"
