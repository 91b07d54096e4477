"""Downloads from a server on this machine: good, damaged, cut short, missing, hostile, unreachable."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.aliec import published
from retrieval_leaderboard.datasets.sources import download
from retrieval_leaderboard.datasets.sources.download import Download, fetch
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.support.errors import InputError

GOOD = b"0 1 2\n1 0\n" * 5000
MANUAL = "get it manually"


class Server:
    """What to answer, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[bytes | int]] = {}
        """path → content or status of each request in turn; the last one repeats"""
        self.cut: set[str] = set()
        """paths whose content ends in the middle"""
        self.asked: list[str] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args) -> None:
        self.state = server
        super().__init__(*args)

    def do_GET(self) -> None:
        self.state.asked.append(self.path)
        answers = self.state.answers.get(self.path, [404])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, int):
            self.send_error(answer)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if self.path in self.state.cut else answer)

    def log_message(self, format: str, *args) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    listener = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, state))
    state.url = f"http://127.0.0.1:{listener.server_port}"
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    listener.shutdown()
    listener.server_close()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def files_of(digests: dict[str, str], *mirrors: str, **more) -> Download:
    return Download(digests, mirrors, MANUAL, **more)


def assert_nothing_left(folder: Path) -> None:
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


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


def test_an_archive_is_unpacked_without_its_folders(server: Server, tmp_path: Path):
    archive = zipped({"ml/": b"", "ml/ratings.dat": GOOD, "ml/README": b"read me"})
    server.answers = {"/ml.zip": [archive]}
    fetch("it", files_of({"ml.zip": sha256(archive)}, server.url + "/{file}"), tmp_path / "it")
    assert sorted(path.name for path in (tmp_path / "it").iterdir()) == ["README", "ratings.dat"]
    assert (tmp_path / "it" / "ratings.dat").read_bytes() == GOOD


@pytest.mark.parametrize(
    "name", ["../evil", "ml/../../evil", "/tmp/evil", "C:/evil", "..\\evil", "C:\\evil", "ml/../evil"]
)
def test_a_hostile_archive_unpacks_nothing(server: Server, tmp_path: Path, name: str):
    archive = zipped({"ml/ratings.dat": GOOD, name: b"evil"})
    server.answers = {"/ml.zip": [archive]}
    with pytest.raises(InputError, match="unsafe path"):
        fetch("it", files_of({"ml.zip": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


@pytest.mark.parametrize("damage", ["no zip", "cut", "flipped"])
def test_a_damaged_archive(server: Server, tmp_path: Path, damage: str):
    archive = bytearray(zipped({"ml/ratings.dat": bytes(range(256)) * 400}))
    if damage == "flipped":
        archive[60] ^= 0xFF
    server.answers = {"/ml.zip": [{"no zip": GOOD, "cut": bytes(archive[:-30])}.get(damage, bytes(archive))]}
    with pytest.raises(InputError, match="damaged, locked or no zip archive"):
        fetch("it", files_of({"ml.zip": ""}, server.url + "/{file}"), tmp_path / "it")
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


def test_aliec_is_known_by_headers_and_row_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "ad_feature.csv"
    path.write_text("adgroup_id,cate_id,campaign_id,customer,brand,price\n1,2,3,4,NULL,5.0\n")
    with pytest.raises(InputError, match="has 1 rows, not the published 846,811"):
        published.check(path)
    path.write_text("id,cate\n")
    with pytest.raises(InputError, match="begins with 'id,cate', not with 'adgroup_id"):
        published.check(path)
    path.write_text("adgroup_id,cate_id,campaign_id,customer,brand,price\n" + "1\n" * 846_810 + "1")
    published.check(path)


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.download])
def test_every_dataset_has_its_addresses_and_digests(name: str):
    known = SOURCES[name].download
    assert known is not None
    lengths = {"md5": 32, "sha256": 64, "git": 40}
    for digest in known.digests.values():
        kind, _, value = digest.partition(":")
        assert len(value) == lengths.get(kind, 0)
        assert digest or known.check is published.check
    assert bool(known.mirrors) != (SOURCES[name].absent == "manual download" and name != "aliec")
    assert all(mirror.startswith("https://") and "{" in mirror for mirror in known.mirrors)
    assert f"<data-dir>/{SOURCES[name].folder}" in known.manual


def test_what_needs_a_login_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(InputError, match=r"^get it manually$"):
        fetch("it", files_of({"x.7z": ""}), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def test_an_archive_may_stay_packed(server: Server, tmp_path: Path):
    archive = zipped({"it/x": GOOD})
    server.answers = {"/a.zip": [archive]}
    fetch("it", files_of({"a.zip": sha256(archive)}, server.url + "/{file}", unpack=False), tmp_path / "it")
    assert (tmp_path / "it" / "a.zip").read_bytes() == archive


def with_field(archive: bytes, offset: int, value: int) -> bytes:
    """`archive` with a 16-bit field of all its entries changed; `offset` is that in a local header."""
    changed = bytearray(archive)
    for signature, at in ((b"PK\3\4", offset), (b"PK\1\2", offset + 2)):
        start = changed.find(signature)
        while start >= 0:
            changed[start + at : start + at + 2] = value.to_bytes(2, "little")
            start = changed.find(signature, start + 4)
    return bytes(changed)


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (with_field(zipped({"x": GOOD}), 6, 1), "encrypted"),
        (with_field(zipped({"x": GOOD}), 8, 97), "compression method"),
        (with_field(zipped({"x": GOOD}), 4, 99), "it.zip is damaged, locked or no zip archive"),
        (zipped({"n" * 300: GOOD}), "a file whose name has 300 characters; nothing was unpacked"),
        (zipped({"é" * 150: GOOD}), "a file whose name has 150 characters"),
        (zipped({"a/x": b"1", "b/x": b"2"}), "two files of the name 'x'"),
        (zipped({"it.zip": b"inner"}), r"two files of the name 'it\.zip'"),
        (zipped({"x": bytes(1 << 26)}), "67,108,864 bytes, more than 250 times its own"),
        (zipped({f"{number}": b"" for number in range(10_001)}), "10,001 files"),
    ],
)
def test_a_locked_or_hostile_archive_is_one_sentence(
    server: Server, tmp_path: Path, archive: bytes, message: str
):
    server.answers = {"/it.zip": [archive]}
    with pytest.raises(InputError, match=message) as error:
        fetch("it", files_of({"it.zip": ""}, server.url + "/{file}"), tmp_path / "it")
    assert "\n" not in str(error.value)
    assert_nothing_left(tmp_path / "it")
