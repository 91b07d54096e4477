"""Charts of a board as Vega-Lite: quality and cost, and how sure the figures are.

A chart comes in a size; colors of text and lines are the theme's, which whoever draws it adds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrieval_leaderboard.evaluation.reports.figures import placement
from retrieval_leaderboard.evaluation.reports.figures.data import BoardData, RowData

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FORMAT = ".4f"
NEAR = 0.75
"""Share of the best NDCG from which rows are drawn with their intervals: farther ones would squeeze them"""


COLOR: Spec = {"field": "color", "type": "nominal", "scale": None}
"""Of a model, as the data says it"""


@dataclass(frozen=True)
class Size:
    """Of a plot without its axes, in pixels."""

    width: int
    height: int


WIDE, MEDIUM, NARROW = Size(920, 400), Size(560, 340), Size(240, 280)


def chart(values: Sequence[dict[str, Any]], description: str, **rest: Any) -> Spec:
    """A specification with its data and what readers are told who do not see it."""
    return {"$schema": SCHEMA, "description": description, "data": {"values": list(values)}, **rest}


def marks(rows: Sequence[dict[str, Any]]) -> Spec:
    """Encodings of points: the color of a model, the shape of its family, hollow where explored by hand."""
    shapes = sorted({row["shape"] for row in rows})
    return {
        "color": COLOR,
        "shape": {
            "field": "shape", "type": "nominal", "legend": None,
            "scale": {"domain": shapes, "range": shapes},
        },
        "fill": {
            "condition": COLOR | {"test": "datum.official"},
            "value": "transparent",
        },
    }  # fmt: skip


def about(row: RowData) -> dict[str, Any]:
    """What every chart knows of a row."""
    ndcg = row.metrics["ndcg"]
    return {
        "name": row.name, "color": row.color, "shape": row.shape, "official": row.official,
        "ndcg": ndcg.mean, "low": ndcg.low, "high": ndcg.high,
        "interval": f"{ndcg.low:z.4f} to {ndcg.high:z.4f}" if ndcg.low < ndcg.high else "–",
    }  # fmt: skip


def tooltip(board: BoardData, *more: Spec) -> list[Spec]:
    """Name, NDCG and its bar, and what a chart adds."""
    shown = [
        {"field": "name", "title": "model"},
        {"field": "ndcg", "title": f"NDCG@{board.k}", "format": FORMAT},
    ]
    bars = [{"field": "interval", "title": board.bars}] if board.bars else []
    return [*shown, *bars, *more]


def quality_cost(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """NDCG over the seconds of a fit; None with fewer than two rows measured on the board's machine.

    Of rows with the same settings, whose points would lie on one another, the first is drawn alone.
    """
    measured = [row for row in rows if "fit_seconds" in row.costs]
    names = {row.name for row in measured}
    shown = [row for row in measured if row.repeats not in names]
    if len(shown) < 2:
        return None
    values = [about(row) | {"seconds": max(row.costs["fit_seconds"], 0.01)} for row in shown]
    x = _Axis([value["seconds"] for value in values], size.width, math.log10, 0.2)
    y = _Axis([value[end] for value in values for end in ("low", "high")], size.height, float, 0.0)
    _add_labels(values, x, y, size)
    machine = f" ({board.machine})" if size.width > NARROW.width else ""
    across = {"field": "seconds", "type": "quantitative", "title": f"seconds to fit{machine}",
              "scale": {"type": "log", "domain": x.domain, "nice": False},
              "axis": {"format": ",~g", "values": _ticks(*x.domain)}}  # fmt: skip
    up = {"field": "ndcg", "type": "quantitative", "title": f"NDCG@{board.k}",
          "scale": {"domain": y.domain, "nice": False, "zero": False}, "axis": {"tickCount": 6}}  # fmt: skip
    told = tooltip(board, {"field": "seconds", "title": "fit s", "format": ",.1f"})
    return chart(
        values,
        f"NDCG@{board.k} of each model over the seconds that its fit takes.",
        width=size.width,
        height=size.height,
        encoding={"x": across, "y": up},
        layer=[
            _bar(1.5, {"y": up | {"field": "low"}, "y2": {"field": "high"}}),
            *_labels(across, up),
            _points(values, told),
        ],
    )


def _bar(width: float, ends: Spec) -> Spec:
    return {"mark": {"type": "rule", "strokeWidth": width}, "encoding": ends | {"color": COLOR}}


def _points(values: Sequence[dict[str, Any]], told: list[Spec]) -> Spec:
    mark = {"type": "point", "size": 80, "strokeWidth": 2, "opacity": 1}
    return {"mark": mark, "encoding": marks(values) | {"tooltip": told}}


def _labels(across: Spec, up: Spec) -> list[Spec]:
    """The names where `_add_labels` put them, with lines to those that stand apart."""
    at = {"x": across | {"field": "label_x"}, "y": up | {"field": "label_y"}, "text": {"field": "name"}}
    text = {"type": "text", "baseline": "middle", "fontSize": placement.FONT}
    ends = {"x2": {"field": "label_x"}, "y2": {"field": "label_y"}}
    return [
        {
            "transform": [{"filter": "datum.leader"}],
            "mark": {"type": "rule", "opacity": 0.6},
            "encoding": ends,
        },
        {"transform": [{"filter": "datum.label_x"}], "mark": text, "encoding": at},
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers, with halfway ones where they are few."""
    tens = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    few = len(tens) <= 4
    return [tick for ten in tens for tick in ([ten, 3 * ten] if few else [ten]) if low <= tick <= high]


@dataclass(frozen=True)
class _Axis:
    """Values of a kind on so many pixels, with room on both sides."""

    values: list[float]
    pixels: int
    scale: Callable[[float], float]
    least: float
    """How much room there is, in units of the scale, at least"""

    @property
    def domain(self) -> list[float]:
        ends = self._ends()
        return [10**end for end in ends] if self.scale is math.log10 else ends

    def pixel(self, value: float) -> float:
        low, high = self._ends()
        return (self.scale(value) - low) / (high - low) * self.pixels

    def value(self, pixel: float) -> float:
        low, high = self._ends()
        found = low + pixel / self.pixels * (high - low)
        return 10**found if self.scale is math.log10 else found

    def _ends(self) -> list[float]:
        low, high = self.scale(min(self.values)), self.scale(max(self.values))
        room = max((high - low) * 0.08, self.least) or 0.01
        return [low - room, high + room]


def _add_labels(values: list[dict[str, Any]], x: _Axis, y: _Axis, size: Size) -> None:
    """Say in `values` where each label goes, in the units of the axes."""
    up = {end: [size.height - y.pixel(value[end]) for value in values] for end in ("ndcg", "low", "high")}
    points = [
        placement.Point(value["name"], x.pixel(value["seconds"]), *heights)
        for value, *heights in zip(values, up["ndcg"], up["low"], up["high"], strict=True)
    ]
    for value, label in zip(values, placement.place(points, size.width, size.height), strict=True):
        if label:
            right, down = label.middle
            value |= {"label_x": x.value(right), "label_y": y.value(size.height - down)}
            value["leader"] = label.leader


def intervals(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """NDCG and its bar of the rows near the best; None with fewer than two, or where none has a bar."""
    best = max((row.metrics["ndcg"].mean for row in rows), default=0.0)
    near = [row for row in rows if row.metrics["ndcg"].mean >= NEAR * best]
    if len(near) < 2 or not any(row.metrics["ndcg"].low < row.metrics["ndcg"].high for row in near):
        return None
    values = [about(row) for row in near]
    across = {"field": "ndcg", "type": "quantitative", "title": f"NDCG@{board.k}, {board.bars}",
              "scale": {"zero": False, "nice": False, "padding": 12},
              "axis": {"tickCount": size.width // 100}}  # fmt: skip
    layer = [
        _bar(2.5, {"x": across | {"field": "low"}, "x2": {"field": "high"}}),
        _points(values, tooltip(board)),
    ]
    layer[:0] = [_line_at(row.metrics["ndcg"].mean, across) for row in near if row.name == board.reference]
    return chart(
        values,
        f"NDCG@{board.k} of each model with {board.bars}.",
        width=size.width,
        height={"step": 26},
        encoding={"x": across, "y": names(near, size)},
        layer=layer,
    )


def _line_at(value: float, across: Spec) -> Spec:
    """A dashed line from top to bottom."""
    return {
        "data": {"values": [{"at": value}]},
        "mark": {"type": "rule", "strokeDash": [4, 4], "opacity": 0.7},
        "encoding": {"x": across | {"field": "at"}, "y": {"value": 0}, "y2": {"value": "height"}},
    }


def names(rows: Sequence[RowData], size: Size) -> Spec:
    """An axis of rows, in their order."""
    axis = {"domain": False, "ticks": False, "grid": False, "labelLimit": 150 if size == NARROW else 220}
    order = [row.name for row in rows]
    return {"field": "name", "type": "nominal", "sort": order, "title": None, "axis": axis}
