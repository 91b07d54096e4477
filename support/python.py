"""The Python this suite needs: importing the module first ends an older one with a sentence, not a traceback.

So it must itself be readable to any Python from 3.7 on. `python support/python.py` looks at the version
alone.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

OLDEST = (3, 11)
"""pyproject.toml's requires-python says the same."""


def refusal(version: tuple[int, int], installed: bool) -> str:
    """Why the suite cannot run on this Python, or "".

    Args:
        version: major and minor number.
        installed: whether the packages are.
    """
    if version < OLDEST:
        needed, found = (f"{major}.{minor}" for major, minor in (OLDEST, version))
        try_this = "try python3.13, or make PYTHON=python3.13"
        return f"error: Python {needed} or newer is needed, this is {found}: {try_this}"
    if not installed:
        return "error: the packages are not installed here: run make, or pip install -r requirements.lock"
    return ""


def _end_if(sentence: str) -> None:
    if sentence:
        print(sentence, file=sys.stderr)
        sys.exit(2)


_end_if(refusal(sys.version_info[:2], __name__ == "__main__" or find_spec("numpy") is not None))
