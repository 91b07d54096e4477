"""The library of charts: Vega-Lite, drawn by vl-convert without a browser."""

from __future__ import annotations

from functools import cache
from typing import Any

from retrieval_leaderboard.evaluation.reports.figures import themes
from retrieval_leaderboard.support.errors import need

LOCK = "requirements-report.lock"
PACKAGES = ("vl_convert",)
SNIPPET = "window.bundle = {vegaEmbed};"


def svg(spec: dict[str, Any]) -> str:
    """A chart as a file for any background.

    Raises:
        InputError: the library is not installed.
    """
    need(PACKAGES, LOCK)
    import vl_convert

    return vl_convert.vegalite_to_svg(spec, config=themes.on_any_background())


@cache
def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, which defines `bundle.vegaEmbed`.

    Raises:
        InputError: the library is not installed.
    """
    need(PACKAGES, LOCK)
    import vl_convert

    # No element of a page may end in the middle of it.
    return vl_convert.javascript_bundle(SNIPPET).replace("</script", r"<\/script").replace("<!--", r"<\!--")
