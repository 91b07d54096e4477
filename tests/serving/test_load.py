"""A real server in a process of its own, and a real client, over loopback."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import client, load
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.support.errors import InputError

REQUESTS, AT_ONCE = 200, 16


def command(module, *words):
    line = [sys.executable, "-m", module, *map(str, words)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_concurrent_requests_get_the_librarys_answers(infonce_bundle, dataset):
    recommender = Recommender.open(infonce_bundle)
    asked = [
        {"user_id": f"u{n % 60}"} if n % 2 else {"history": [f"i{n}", f"i{n // 2}"], "k": 10}
        for n in range(REQUESTS)
    ]
    # Other work on the machine may take more than the five seconds that httpx waits by itself.
    patient = {"timeout": 60, "trust_env": False}
    with load.running(infonce_bundle) as address, httpx.Client(base_url=address, **patient) as session:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda body: session.post("/recommend", json=body), asked))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health", trust_env=False)
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    expected = recommender.recommend_batch([Request(**body) for body in asked])
    assert [answer.json()["items"] for answer in answers] == [each.items for each in expected]


def test_the_load_command_reports_the_tail(infonce_bundle, tmp_path):
    options = (
        "--bundle",
        infonce_bundle,
        "--requests",
        600,  # Of a tenth of a millisecond and more: processor time is counted in hundredths of a second.
        "--concurrency",
        8,
        "--out",
        tmp_path / "load.json",
    )
    done = command("benchmarks.serving", "load", *options)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "load.json").read_text())
    assert json.loads(done.stdout).items() <= record.items()
    assert (record["requests"], record["errors"], record["index"]) == (600, 0, "flat")
    assert 0 < record["p50_ms"] <= record["p99_ms"] and record["requests_per_second"] > 0
    if sys.platform == "linux":
        assert record["cpu_ms"] > 0 and record["echo_cpu_ms"] > 0


class Broken(BaseHTTPRequestHandler):
    """Answers what it is told to, with a body; ends the connection where that is "end"."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if told == "end":
            self.close_connection = True
            return
        self.send_response(told)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_the_client_counts_what_was_not_answered():
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        Thread(target=server.serve_forever).start()
        try:
            bodies = [json.dumps(told).encode() for told in (200, 500, "end", 200, "end")]
            times = client.post_all(f"http://127.0.0.1:{server.server_port}/", bodies, 2)
        finally:
            server.shutdown()
    assert len(times) == 5 and times.count(None) == 3
    assert all(seconds > 0 for seconds in times if seconds is not None)


def test_a_server_that_cannot_start_says_why(tmp_path, infonce_bundle):
    with pytest.raises(InputError, match="holds no bundle"):
        load.measure(tmp_path, 1, 1)
    with pytest.raises(InputError, match=r"the server ended at once: error: .* holds no bundle"):
        with load.running(tmp_path):
            pass
    done = command("serving", "http", "--bundle", tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.strip().splitlines()) == 1
