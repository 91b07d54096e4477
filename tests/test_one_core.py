"""Quick tests of several processes or threads at once are run on one core too (BY_CORES of the Makefile)."""

import re
from functools import cache
from pathlib import Path

from retrieval_leaderboard import ROOT

TESTS = ROOT / "tests"
AT_ONCE = re.compile(r"\b(Popen|Thread|ThreadPoolExecutor|in_ranks|affinity)\b[(.]")
FUNCTION = re.compile(r"^def (\w+)", re.MULTILINE)


@cache
def texts() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}


def test_what_runs_at_once_is_run_on_one_core() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (chosen,) = re.findall(r"^BY_CORES := (.*)$", makefile, re.MULTILINE)
    roots = [TESTS / name for name in chosen.split()]
    assert all(root.exists() for root in roots)
    found = {path for path, text in texts().items() if AT_ONCE.search(text)}
    helpers = {path for path in found if not path.name.startswith("test_")}
    files = (found - helpers).union(*map(users, helpers))
    missed = [path for path in files if not any(path.is_relative_to(root) for root in roots)]
    assert len(files) > 10 and helpers and not missed


def users(helper: Path) -> set[Path]:
    """The tests that import a file of helpers, or take a fixture of it."""
    names = [helper.stem]
    if helper.name == "conftest.py":
        names = FUNCTION.findall(texts()[helper])
    asks = re.compile(rf"^(from \S+|def .*)\b({'|'.join(names)})\b", re.MULTILINE)
    return {path for path in helper.parent.rglob("test_*.py") if asks.search(texts()[path])}
