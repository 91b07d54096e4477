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

if not _INSTALLED:
    __path__ = [str(_HERE), str(ROOT)]
