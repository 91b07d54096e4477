"""Classical and two-tower retrieval models on one dataset adapter and one evaluation harness.

In a checkout the packages of this namespace lie beside this folder; an installed wheel has them in it.
"""

from pathlib import Path

_HERE = Path(__file__).parent
_INSTALLED = (_HERE / "datasets").is_dir()

ROOT = _HERE if _INSTALLED else _HERE.parent
"""Where the packages are, with what comes with them: configs/ and results/."""
WORKSPACE = Path() if _INSTALLED else ROOT
"""Where data/, results/local/ and configs/local/ are looked for and made by default."""

PREFIX = "retrieval_leaderboard." if _INSTALLED else ""
"""What stands before a package of this namespace after `python -m`."""
COMMAND = "retrieval-leaderboard" if _INSTALLED else "python run_all.py"
"""What runs the leaderboard."""

if not _INSTALLED:
    __path__ = [str(_HERE), str(ROOT)]
