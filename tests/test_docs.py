"""Files that pages name are there, and links lead somewhere."""

import re

import pytest

from retrieval_leaderboard import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "|".join(folder.name for folder in ROOT.iterdir() if folder.is_dir())
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_and_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    named = {path for path in NAMED.findall(text) if not path.startswith(("results/local", "configs/local"))}
    assert not {path for path in named if not (ROOT / path).exists()}
    assert not {link for link in LINK.findall(text) if not (page.parent / link).exists()}
