"""Colors of text and lines around the marks of a chart."""

from __future__ import annotations

from typing import Any

FONT = "Helvetica Neue, Helvetica, Arial, DejaVu Sans, sans-serif"
TEXT = "#747b84"
"""Contrast 4.3 against white, and 4.4 against GitHub's dark page"""
LINE = "#8b929b"


def on_any_background() -> dict[str, Any]:
    """For a picture whose page nobody knows: nothing behind it, grays that read on white and on black."""
    return config(TEXT, TEXT, LINE)


def config(text: str, muted: str, line: str) -> dict[str, Any]:
    """Vega-Lite's configuration from the colors of text, of axes' numbers, and of lines."""
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": muted, "titleColor": text, "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "titlePadding": 8, "domainColor": line, "tickColor": line,
            "gridColor": line, "gridOpacity": 0.25,
        },
        "header": {"labelColor": text, "titleColor": text, "labelFontSize": 11},
        "legend": {"labelColor": text, "titleColor": muted, "labelFontSize": 11, "titleFontSize": 11,
                   "titleFontWeight": "normal", "labelLimit": 210},
        "text": {"color": text},
        "rule": {"color": line},
    }  # fmt: skip
