"""Downloads from a server on this machine: good, cut short, missing, unreachable."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.sources import download
from retrieval_leaderboard.datasets.sources.download import fetch
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources.local_server import GOOD, MANUAL, Server, assert_nothing_left, files_of, sha256


def test_good_files_arrive_whole(server: Server, tmp_path: Path):
    server.answers = {"/a/train.txt": [GOOD], "/a/test.txt": [b"0 5\n"]}
    files = {"train.txt": sha256(GOOD), "test.txt": f"md5:{hashlib.md5(b'0 5' + bytes([10])).hexdigest()}"}
    fetch("it", files_of(files, server.url + "/a/{file}"), tmp_path / "data" / "it")
    assert (tmp_path / "data" / "it" / "train.txt").read_bytes() == GOOD
    assert (tmp_path / "data" / "it" / "test.txt").read_bytes() == b"0 5\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["it"]
    assert server.asked == ["/a/train.txt", "/a/test.txt"]


def test_git_blob_ids(server: Server, tmp_path: Path):
    blob = subprocess.run(["git", "hash-object", "--stdin"], input=GOOD, capture_output=True, check=True)
    server.answers = {"/x": [GOOD]}
    fetch(
        "it", files_of({"x": f"git:{blob.stdout.decode().strip()}"}, server.url + "/{file}"), tmp_path / "it"
    )
    assert (tmp_path / "it" / "x").read_bytes() == GOOD


def test_missing_at_the_first_source(server: Server, tmp_path: Path):
    server.answers = {"/b/x": [GOOD]}
    sources = (server.url + "/a/{file}", server.url + "/b/{file}")
    fetch("it", files_of({"x": sha256(GOOD)}, *sources), tmp_path / "it")
    assert (tmp_path / "it" / "x").read_bytes() == GOOD
    assert server.asked == ["/a/x", "/b/x"]


def test_files_of_two_sources_are_not_mixed(server: Server, tmp_path: Path):
    server.answers = {"/a/x": [b"from a"], "/b/x": [b"from b"], "/b/y": [b"from b"]}
    sources = (server.url + "/a/{file}", server.url + "/b/{file}")
    fetch("it", files_of({"x": "", "y": ""}, *sources), tmp_path / "it")
    assert {path.name: path.read_bytes() for path in (tmp_path / "it").iterdir()} == {
        "x": b"from b",
        "y": b"from b",
    }


@pytest.mark.parametrize("damage", ["corrupt", "cut"])
def test_wrong_content_is_asked_for_again_and_then_elsewhere(server: Server, tmp_path: Path, damage: str):
    server.answers = {"/a/x": [GOOD if damage == "cut" else GOOD[:-1] + b"?"], "/b/x": [GOOD]}
    if damage == "cut":
        server.cut = {"/a/x"}
    sources = (server.url + "/a/{file}", server.url + "/b/{file}")
    fetch("it", files_of({"x": sha256(GOOD)}, *sources), tmp_path / "it")
    assert (tmp_path / "it" / "x").read_bytes() == GOOD
    assert server.asked == ["/a/x", "/a/x", "/b/x"]


def test_a_second_try_repairs_a_broken_transfer(server: Server, tmp_path: Path):
    server.answers = {"/x": [b"garbage", GOOD]}
    fetch("it", files_of({"x": sha256(GOOD)}, server.url + "/{file}"), tmp_path / "it")
    assert (tmp_path / "it" / "x").read_bytes() == GOOD


def test_a_file_cut_short_is_noticed_without_a_digest(server: Server, tmp_path: Path):
    server.answers, server.cut = {"/x": [GOOD]}, {"/x"}
    with pytest.raises(InputError, match="the transfer broke off"):
        fetch("it", files_of({"x": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def test_when_no_source_helps_the_error_says_why_and_what_to_do(server: Server, tmp_path: Path):
    server.answers = {"/b/x": [b"wrong"], "/c/x": [500]}
    sources = tuple(server.url + f"/{place}" + "/{file}" for place in "abc")
    with pytest.raises(InputError) as error:
        fetch("it", files_of({"x": sha256(GOOD)}, *sources), tmp_path / "it")
    for part in ("x: 404", "the content is not the published one", "x: 500", MANUAL):
        assert part in str(error.value)
    assert_nothing_left(tmp_path / "it")


def test_content_that_fails_the_check_is_rejected(server: Server, tmp_path: Path):
    def refuse(path: Path) -> None:
        raise InputError(f"{path.name} has 3 rows")

    server.answers = {"/x": [GOOD]}
    with pytest.raises(InputError, match="x has 3 rows"):
        fetch("it", files_of({"x": ""}, server.url + "/{file}", check=refuse), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def test_a_host_that_cannot_be_reached_is_tried_once(tmp_path: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(InputError) as error:
        fetch(
            "it",
            files_of({"x": ""}, f"http://{host}/a/{{file}}", f"http://{host}/b/{{file}}"),
            tmp_path / "it",
        )
    assert str(error.value).count("cannot be reached") == 1
    assert_nothing_left(tmp_path / "it")


def test_a_silent_host_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "READ_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{{file}}"
        with pytest.raises(InputError, match="cannot be reached"):
            fetch("it", files_of({"x": ""}, url), tmp_path / "it")


def test_files_of_the_user_are_never_replaced(server: Server, tmp_path: Path):
    server.answers = {"/train.txt": [GOOD]}
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "train.txt").write_text("mine")
    with pytest.raises(InputError, match="lacks some of it's files"):
        fetch("it", files_of({"train.txt": ""}, server.url + "/{file}"), tmp_path / "it")
    assert (tmp_path / "it" / "train.txt").read_text() == "mine"
    assert server.asked == []


def test_an_interrupt_leaves_nothing_behind(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(path: Path, digest: str) -> None:
        raise KeyboardInterrupt

    server.answers = {"/x": [GOOD]}
    monkeypatch.setattr(download, "_verify", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch("it", files_of({"x": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path):
    server.answers = {"/x": [GOOD]}
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        fetch("it", files_of({"x": ""}, server.url + "/{file}"), tmp_path / "file" / "it")


def test_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(path: Path, digest: str) -> None:
        raise OSError(28, "No space left on device")

    server.answers = {"/x": [GOOD]}
    monkeypatch.setattr(download, "_verify", full)
    with pytest.raises(InputError, match=r"cannot write .*: No space left"):
        fetch("it", files_of({"x": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def test_progress_reaches_the_whole_size(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path):
    steps: list[int] = []
    totals: list[int] = []

    class Bar:
        def __init__(self, label: str, total: int, unit: str) -> None:
            totals.append(total)

        def __enter__(self):
            return steps.append

        def __exit__(self, *error) -> None:
            totals.append(-1)

    monkeypatch.setattr(download.progress, "bar", Bar)
    content = GOOD * 5
    server.answers = {"/x": [content]}
    fetch("it", files_of({"x": ""}, server.url + "/{file}"), tmp_path / "it")
    assert totals == [len(content), -1]
    assert sum(steps) == len(content)
    assert len(steps) > 2


def test_what_needs_a_login_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(InputError, match=r"^get it manually$"):
        fetch("it", files_of({"x.7z": ""}), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")
