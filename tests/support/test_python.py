"""An older Python is told so, by every entry point, and all files name the same one."""

import runpy
import subprocess
import sys
import tomllib

import pytest

from retrieval_leaderboard import ROOT, support
from retrieval_leaderboard.support import python

ENTRIES = ("retrieval_leaderboard/cli.py", "serving/__init__.py", "benchmarks/__init__.py")


@pytest.mark.parametrize("version", [(3, 10), (3, 8)])
def test_an_older_python_is_refused_whatever_is_installed(version):
    for installed in (True, False):
        sentence = python.refusal(version, installed)
        assert sentence.startswith(
            f"error: Python 3.11 or newer is needed, this is {version[0]}.{version[1]}:"
        )


def test_a_python_without_the_packages_is_told_how_to_get_them():
    assert "pip install -r requirements.lock" in python.refusal((3, 12), installed=False)
    assert python.refusal((3, 12), installed=True) == ""


@pytest.mark.parametrize("entry", ENTRIES)
def test_it_comes_before_any_other_import_of_an_entry_point(entry, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    monkeypatch.delitem(sys.modules, "retrieval_leaderboard.support.python")
    monkeypatch.delattr(support, "python")
    for later in ("leaderboard", "serving.service"):
        monkeypatch.setitem(sys.modules, f"retrieval_leaderboard.{later}", None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / entry))
    assert ended.value.code == 2
    assert "Python 3.11 or newer is needed, this is 3.10" in capsys.readouterr().err


def test_make_asks_without_the_packages():
    done = subprocess.run([sys.executable, "-S", "support/python.py"], cwd=ROOT, check=False)
    assert done.returncode == 0
    assert "support/python.py" in (ROOT / "Makefile").read_text()


def test_one_oldest_python_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    oldest = ".".join(map(str, python.OLDEST))
    assert project["project"]["requires-python"] == f">={oldest}"
    assert project["tool"]["mypy"]["python_version"] == oldest
    named = [line.rpartition(" ")[2] for line in project["project"]["classifiers"] if "Python :: 3." in line]
    assert named[0] == oldest
    assert f"Python {', '.join(named[:-1])} or {named[-1]}" in (ROOT / "README.md").read_text()
