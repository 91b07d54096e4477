"""A service that answers only those who give its token."""

import httpx
import pytest

from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.http import tokens
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.support.errors import InputError
from tests.serving.running import running

TOKEN = b"s3cret-token"


@pytest.fixture
def client(opened):
    with running(create_app(opened(), token=TOKEN)) as port:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer s3cret", "Bearer s3cret-token2", "Basic s3cret-token"]
)
def test_without_the_token_nothing_is_answered(client, given):
    headers = {} if given is None else {"authorization": given}
    for method, path in (("POST", "/recommend"), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/none")):
        refused = client.request(method, path, headers=headers)
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert "a token is needed" in refused.json()["detail"]


def test_with_the_token_it_is_answered(client):
    for scheme in ("Bearer", "bearer"):
        headers = {"authorization": f"{scheme} {TOKEN.decode()}"}
        assert client.post("/recommend", json={"user_id": "u1"}, headers=headers).status_code == 200


def test_what_watches_the_process_needs_no_token(client):
    assert client.get("/health").status_code == client.get("/ready").status_code == 200


def test_a_token_is_read_without_the_ends_of_its_line(tmp_path):
    (tmp_path / "token").write_bytes(TOKEN + b"\r\n")
    assert tokens.read(tmp_path / "token") == TOKEN


def test_what_is_no_token_is_told(tmp_path, capsys):
    for content in (b"", b"\n", b"two words", b"\xff"):
        (tmp_path / "token").write_bytes(content)
        with pytest.raises(InputError, match="holds no bearer token"):
            tokens.read(tmp_path / "token")
    options = ["--bundle", str(tmp_path), "--token-file", str(tmp_path / "none")]
    assert main(["http", *options]) == 2
    assert "cannot be read: No such file or directory; give a file by --token-file" in capsys.readouterr().err
