"""The folder of wheels; pip is not asked."""

import subprocess
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.notebooks import wheels


@pytest.fixture
def pip(monkeypatch):
    """The command lines that would have been run; each makes one wheel and ends with `pip.code`."""

    class Pip(list):
        code = 0

        def __call__(self, words, check):
            self.append(words)
            folder = Path(words[words.index("--dest") + 1])
            (folder / "numpy-9.9-any.whl").write_bytes(b"0" * 2_000_000)
            return subprocess.CompletedProcess(words, self.code)

    found = Pip()
    monkeypatch.setattr(wheels.subprocess, "run", found)
    return found


def test_the_locks_are_asked_for_by_their_hashes(pip, tmp_path, capsys):
    assert wheels.main(["--out", str(tmp_path / "wheels"), "--python", "3.11"]) == 0
    (words,) = pip
    assert [word for word in words if word.endswith(".lock")] == [str(ROOT / name) for name in wheels.LOCKS]
    assert {"--require-hashes", "--no-deps", "manylinux_2_17_x86_64", "manylinux2014_x86_64"} <= {*words}
    assert words[words.index("--python-version") + 1] == "3.11"
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == ["numpy-9.9-any.whl"]
    assert capsys.readouterr().out == f"{tmp_path / 'wheels'}: 1 wheels for Python 3.11, 2 MB\n"


def test_no_lock_has_pytorch():
    for name in wheels.LOCKS:
        assert not [line for line in (ROOT / name).read_text().splitlines() if line.startswith("torch")]


def test_where_pip_fails_nothing_is_left(pip, tmp_path, capsys):
    pip.code = 1
    assert wheels.main(["--out", str(tmp_path / "wheels")]) == 2
    assert "pip cannot get the wheels" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "said"), [
    (["--python", "2.7"], "--python 2.7: give a version such as 3.12"),
    (["--out", "."], "--out .: it is there already"),
])  # fmt: skip
def test_bad_input_is_one_sentence(words, said, pip, tmp_path, capsys):
    assert wheels.main(["--out", str(tmp_path / "wheels"), *words]) == 2
    assert said in capsys.readouterr().err and not pip
