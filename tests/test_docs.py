"""Files that pages name are there, and links lead somewhere."""

import re
import shlex

import pytest

from retrieval_leaderboard import ROOT, cli
from retrieval_leaderboard.benchmarks.serving import __main__ as benchmark
from retrieval_leaderboard.evaluation import __main__ as evaluation
from retrieval_leaderboard.serving import __main__ as serving

PARSERS = {
    "run_all.py": cli.parser,
    "-m evaluation": evaluation.parser,
    "-m serving": serving.parser,
    "-m benchmarks.serving": benchmark.parser,
}
COMMAND = re.compile(rf"^ {{4}}python ({'|'.join(map(re.escape, PARSERS))}) ((?:.*\\\n)*.*)$", re.MULTILINE)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "|".join(folder.name for folder in ROOT.iterdir() if folder.is_dir())
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
MADE = ("results/local", "configs/local", "build/", "data/")
"""What commands make"""
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_and_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    named = {path for path in NAMED.findall(text) if not path.startswith(MADE)}
    assert not {path for path in named if not (ROOT / path).exists()}
    assert not {link for link in LINK.findall(text) if not (page.parent / link).exists()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_have_options_that_there_are(page):
    for command, options in COMMAND.findall(page.read_text(encoding="utf-8")):
        words = options.replace("\\\n", "").replace("*", "0123456789")  # No run is there.
        PARSERS[command]().parse_args(shlex.split(words, comments=True))


def test_commands_are_found():
    text = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
    assert any("infonce.cold_negatives=false" in options for _, options in COMMAND.findall(text))
    every = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {command for command, _ in COMMAND.findall(every)} == PARSERS.keys()


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - set(LINK.findall(index)) == {"README.md"}
