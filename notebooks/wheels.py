"""`python -m notebooks.wheels --out DIR`: the locked wheels as a folder, for notebooks without internet."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.errors import InputError, in_one_sentence
from retrieval_leaderboard.support.storage.files import atomic_folder

LOCKS = ("requirements.lock", "requirements-serve.lock", "requirements-report.lock")
"""What runs, bundles and charts need; none of them has PyTorch"""
PYTHON = "3.12"
GLIBC = range(5, 36)
"""Minor versions of glibc 2 that wheels may be built for; Kaggle's image has 2.35"""


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Build the folder; 0: done, 2: bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.wheels",
        description=f"Downloads the wheels of {', '.join(LOCKS)} for Linux on x86-64, checked by hashes.",
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create")
    parser.add_argument(
        "--python",
        default=PYTHON,
        metavar="3.N",
        help=f"version of the notebook's Python (default: {PYTHON})",
    )
    options = parser.parse_args(arguments)
    download(options.out, options.python)
    built = list(options.out.iterdir())
    size = sum(path.stat().st_size for path in built) / 1e6
    print(f"{options.out}: {len(built)} wheels for Python {options.python}, {size:.0f} MB")
    return 0


def download(folder: Path, python: str) -> None:
    """Make `folder`, whole or not at all.

    Raises:
        InputError: it is there, `python` is no version that the locks are for, or pip fails.
    """
    if folder.exists():
        raise InputError(f"--out {folder}: it is there already; remove it, or name another folder")
    if not re.fullmatch(r"3\.1[1-9]", python):
        raise InputError(f"--python {python}: give a version such as {PYTHON}, from 3.11 on")
    with atomic_folder(folder) as scratch:
        words = ["pip", "download", "--quiet", *by_lock(ROOT), "--dest", str(scratch)]
        words += ["--python-version", python, "--implementation", "cp"]
        for platform in [*(f"manylinux_2_{minor}" for minor in GLIBC), "manylinux2014", "manylinux2010"]:
            words += ["--platform", f"{platform}_x86_64"]
        if subprocess.run([sys.executable, "-m", *words], check=False).returncode:
            raise InputError(f"--out {folder}: pip cannot get the wheels; what it printed says why")


def by_lock(repository: Path) -> list[str]:
    """Options by which pip takes exactly what the locks of `repository` pin."""
    named = [word for lock in LOCKS for word in ("--requirement", str(repository / lock))]
    return ["--no-deps", "--require-hashes", "--only-binary", ":all:", *named]


if __name__ == "__main__":
    sys.exit(main())
