"""The commands of docs/own-data.md on files of one's own, and what their runs remember."""

from __future__ import annotations

import gzip
import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from retrieval_leaderboard import ROOT, cli
from retrieval_leaderboard.evaluation import __main__ as evaluation
from retrieval_leaderboard.evaluation.runs import records
from tests.evaluation.runs.in_process import have_runs_here

PAGE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
FILES = PAGE[PAGE.index("## Files") : PAGE.index("## In Python")]
COMMANDS = [shlex.split(line) for line in re.findall(r"^    python run_all\.py (.*)$", FILES, re.MULTILINE)]
DATASET_FILE = re.findall(r"```yaml\n(.*?)```", FILES, re.DOTALL)[0]


def rows(step: int) -> list[tuple[str, str, int]]:
    return [
        (f"u{user}", f"i{(user * 7 + step * 3) % 31}", 1_700_000_000 + step * 86400) for user in range(40)
    ]


def text(names: tuple[str, ...], *steps: int, separator: str = ",") -> str:
    lines = [names, *(row for step in steps for row in rows(step))]
    return "".join(separator.join(map(str, line)) + "\n" for line in lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that the page names."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "logs").mkdir()
    for month, steps in (("2024-01", range(5)), ("2024-02", range(5, 9))):
        content = text(("session", "sku", "timestamp"), *steps)
        (folder / "logs" / f"{month}.csv.gz").write_bytes(gzip.compress(content.encode()))
    (folder / "logs" / "_SUCCESS").touch()
    names = ("user_id:token", "item_id:token", "timestamp:float")
    for part, steps in (("train", range(7)), ("valid", [7]), ("test", [8])):
        (folder / f"mine.{part}.inter").write_text(text(names, *steps, separator="\t"))
    (folder / "january.csv").write_text(text(("user", "item", "time"), *range(4)))
    (folder / "february.csv").write_text(text(("user", "item", "time"), *range(4, 9)))
    (folder / "mydata.yaml").write_text(DATASET_FILE)
    return folder


def test_the_pages_python():
    (code,) = re.findall(r"## In Python\n\n```python\n(.*?)```", PAGE, re.DOTALL)
    steps = [row for step in range(9) for row in rows(step)]
    scope: dict[str, Any] = {"frame": pd.DataFrame(steps, columns=["who", "item_id", "timestamp"])}
    exec(code, scope)
    assert (len(scope["data"].test), scope["data"].protocol) == (40, "leave-last-one")


@pytest.mark.slow
def test_the_pages_commands_leave_runs_that_need_nothing_said_again(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RETRIEVAL_CACHE", str(folder / "cache"))
    have_runs_here(monkeypatch)
    assert len(COMMANDS) == 5
    for words in COMMANDS:
        assert cli.main([*words, "--models", "global_hot,item_cf", "--results-dir", "results"]) == 0
    found = {run: records.read(run) for run in (folder / "results").glob("*/runs/*")}
    boards: dict[tuple[str, str], int] = {}
    for record in found.values():
        assert record is not None and record.is_done
        about = record.dataset
        boards[about.name, about.protocol] = boards.get((about.name, about.protocol), 0) + 1
    assert boards == {
        ("logs", "time"): 2,  # Of the folder and of the pattern, which name the same files.
        ("winter", "time"): 2,
        ("mine", "given"): 2,
        ("mydata", "leave-last-one"): 2,
    }
    for page in (folder / "results").rglob("*.md"):
        assert str(folder) not in page.read_text()
    capsys.readouterr()
    assert evaluation.main(["score", "--results-dir", "results"]) == 0
    told = capsys.readouterr().out
    assert told.count(": 2 runs scored") == 4
