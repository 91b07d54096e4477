"""Tests of several processes or threads at once are run on one core too (BY_CORES of the Makefile)."""

import re

from retrieval_leaderboard import ROOT

AT_ONCE = re.compile(r"\b(Popen|Thread|ThreadPoolExecutor|in_ranks|affinity)\b[(.]")


def test_what_runs_at_once_is_run_on_one_core() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (chosen,) = re.findall(r"^BY_CORES := (.*)$", makefile, re.MULTILINE)
    roots = [ROOT / "tests" / name for name in chosen.split()]
    assert all(root.exists() for root in roots)
    files = [
        path for path in (ROOT / "tests").rglob("*.py") if AT_ONCE.search(path.read_text(encoding="utf-8"))
    ]
    missed = [path for path in files if not any(path.is_relative_to(root) for root in roots)]
    assert len(files) > 10 and not missed
