"""The policy under which a page runs: its own scripts and style, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence


def policy(scripts: Sequence[str], style: str) -> str:
    """A Content-Security-Policy that runs these scripts and this style alone, and lets nothing be fetched."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hashed, scripts))}",
            f"style-src {_hashed(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
