"""The site has every page, and every link of it leads somewhere."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import yaml

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support import site


@pytest.fixture
def laid(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "TARGET", tmp_path / "pages")
    assert site.main() == 0
    return tmp_path / "pages"


def test_pages_lie_as_they_do_in_the_project(laid):
    assert (laid / "docs" / "findings.svg").is_file()
    assert (laid / "results" / "gowalla" / "leaderboard.md").is_file()
    assert (laid / "datasets" / "tables" / "columns.py").is_file(), "a page links to it"


def test_navigation_has_every_page_of_docs():
    class Loader(yaml.SafeLoader):
        """That leaves tags of Python alone."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
    nav = str(yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)["nav"])
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}'" not in nav]


def test_a_link_that_leads_nowhere_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "site.css").touch()
    (tmp_path / "README.md").write_text("[a](docs/site.css) [b](gone.md) [c](https://x.y) [d](#d)")
    for name, value in (
        ("ROOT", tmp_path),
        ("TARGET", tmp_path / "out"),
        ("STYLE", tmp_path / "docs/site.css"),
    ):
        monkeypatch.setattr(site, name, value)
    assert site.main() == 1
    assert capsys.readouterr().err == "README.md: gone.md\n"


def test_what_stands_below_a_numbered_item_stays_below_it():
    text = "1. one\n\n   ```python\n   x\n   ```\n\n2. two\n\n    code\n\nend\n   kept\n"
    wide = "1. one\n\n    ```python\n    x\n    ```\n\n2. two\n\n     code\n\nend\n   kept\n"
    assert site._as_site(text) == wide


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="needs requirements-docs.lock")
def test_the_site_is_built_without_a_warning(tmp_path):
    line = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    assert site.main() == 0
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr
