"""Hostile clients against a service in the test's process, and what their command tells and keeps."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import __main__ as command
from retrieval_leaderboard.benchmarks.serving import page
from retrieval_leaderboard.benchmarks.serving.record import SecurityRecord, Tried
from retrieval_leaderboard.benchmarks.serving.security import bodies, crowd, fuzz, measure
from retrieval_leaderboard.serving.http import heads
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.support.errors import InputError
from tests.serving.running import running

FOUND = SecurityRecord([Tried("a kind", 3, 3, "all is well")], 0, 1, "2026-01-02", "one", 2, "abc")


@pytest.fixture
def port(opened):
    with running(create_app(opened())) as port:
        yield port


@pytest.mark.slow
def test_bodies_that_no_honest_client_sends_are_refused(port):
    for kind, tries, held, _ in bodies.run(port):
        assert held == tries > 0, kind


@pytest.mark.slow
def test_idle_connections_hold_nobody_up_and_end(port, monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(crowd, "IDLE", 100)
    for kind, tries, held, _ in crowd.run(port):
        assert held == tries > 0, kind


def test_an_answer_that_is_no_sentence_is_no_refusal():
    assert bodies.Answered(422, b'{"detail": "why"}').refused
    for status, body in ((500, b'{"detail": "why"}'), (422, b"why"), (422, b'{"detail": ["why"]}'), (0, b"")):
        assert not bodies.Answered(status, body).refused


def stand_in(folder: Path, monkeypatch, code: int, report: str) -> None:
    """A program of schemathesis' name, which writes `report` where the last word says."""
    program = folder / fuzz.PROGRAM
    program.write_text(f"#!/bin/sh\nfor last; do :; done\nprintf %s '{report}' > \"$last\"\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_what_schemathesis_found_is_counted(tmp_path, monkeypatch):
    cases = {"generated": 40, "with_failures": 3, "errored": 1}
    report = json.dumps({"schemathesis_version": "4", "test_cases": cases})
    stand_in(tmp_path, monkeypatch, 1, report)
    assert fuzz.is_there()
    ((kind, tries, held, _),) = fuzz.run(1, 0, 5, tmp_path)
    assert "schemathesis 4" in kind and (tries, held) == (40, 36)
    stand_in(tmp_path, monkeypatch, 2, report)
    with pytest.raises(InputError, match="schemathesis ended with code 2"):
        fuzz.run(1, 0, 5, tmp_path)


def test_the_command_keeps_what_was_found_and_tells_what_did_not_hold(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page, "SECURITY", tmp_path / "record.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    marks = re.findall("<!-- table: .* -->\n", (ROOT / "docs" / "serving.md").read_text(encoding="utf-8"))
    page.PAGE.write_text("".join(f"{mark}<!-- end -->\n" for mark in marks))
    monkeypatch.setattr(measure, "measure", lambda *_: FOUND)
    assert command.main(["security", "--save"]) == 0
    assert "| a kind  |" in page.PAGE.read_text()
    assert page.stored_tables()["security"] == page.security(FOUND)
    broken = replace(FOUND, rows=[Tried("a kind", 3, 2, "all is well")])
    monkeypatch.setattr(measure, "measure", lambda *_: broken)
    assert command.main(["security"]) == 1
    assert "| a kind  |       3 |       2 |" in capsys.readouterr().out
