"""The process: its port, its first answer and its end."""

import gc
import shutil
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import load
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.http import server
from retrieval_leaderboard.support.errors import InputError
from tests.serving.running import HEAD, connected


def test_a_used_port_is_told_before_anything_is_read(capsys, tmp_path):
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        assert main(["http", "--bundle", str(tmp_path / "none"), "--port", str(port)]) == 2
    told = capsys.readouterr()
    assert told.err == (
        f"error: cannot answer at 127.0.0.1:{port}: Address already in use; give another --port or --host\n"
    )
    assert told.out == ""


def test_the_slower_of_two_on_one_port_is_told():
    with server.port_of("127.0.0.1", 0) as first:
        with server.port_of("127.0.0.1", first.getsockname()[1]) as second:
            server.listen(first)
            with pytest.raises(InputError, match=r"cannot answer at 127\.0\.0\.1:"):
                server.listen(second)


def test_a_host_of_no_machine_is_told():
    with pytest.raises(InputError, match=r"cannot answer at 192\.0\.2\.1:80.*give another --port or --host"):
        with server.port_of("192.0.2.1", 8000):
            pass


@pytest.mark.parametrize("number", ["0", "65", "two"])
def test_a_number_of_processes_that_cannot_be(number, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["http", "--bundle", "none", "--workers", number])
    assert "argument --workers: " in capsys.readouterr().err


def test_a_service_has_answered_and_collects_nothing_old(infonce_bundle, monkeypatch):
    asked, real = [], Recommender.recommend_batch
    monkeypatch.setattr(server.uvicorn.Server, "run", lambda *_, **__: asked.append("running"))
    monkeypatch.setattr(server, "listen", lambda _: asked.append("listening"))
    monkeypatch.setattr(
        Recommender, "recommend_batch", lambda *given: asked.append("answered") or real(*given)
    )
    with server.port_of("127.0.0.1", 0) as bound:
        try:
            server.serve(server.Service(infonce_bundle, takes_items=False), bound)
            assert gc.get_freeze_count() > 1000
        finally:
            gc.unfreeze()
    assert asked[-2:] == ["listening", "running"] and asked.count("answered") > 3


@pytest.mark.slow
def test_sigterm_ends_a_service_with_unfinished_requests_and_folds_its_log(
    infonce_bundle, tmp_path, new_item
):
    folder = shutil.copytree(infonce_bundle, tmp_path / "bundle")
    line = [sys.executable, "-m", "serving", "http", "--bundle", str(folder), "--port"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*line, str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert "300 items at" in process.stdout.readline()
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    assert httpx.post(f"{address}/recommend", json={"user_id": "u1"}, trust_env=False).status_code == 200
    assert time.monotonic() - began < 1, "it was warm"
    added = httpx.post(f"{address}/items", json={"item_id": "new", "features": new_item}, trust_env=False)
    assert added.status_code == 201 and (folder / "changes.log").exists()
    with connected(port, HEAD + b"Content-Length: 9\r\n\r\n{"), connected(port, HEAD):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0 and time.monotonic() - began < 15
    process.stdout.close()
    assert not (folder / "changes.log").exists() and (folder / "changes.parquet").exists()
    with load.running(folder) as address:
        assert httpx.get(f"{address}/health", trust_env=False).json()["items"] == 301
