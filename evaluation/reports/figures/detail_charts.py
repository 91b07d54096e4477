"""Charts of a board as Vega-Lite: curves, slices, training, and which differences are more than noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from retrieval_leaderboard.evaluation.metrics.measure import VALID_K
from retrieval_leaderboard.evaluation.reports.figures.charts import COLOR, FORMAT, Size, Spec, chart, names
from retrieval_leaderboard.evaluation.reports.figures.data import BoardData, Points, RowData
from retrieval_leaderboard.evaluation.statistics.paired import LEVEL

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""Of the first, second, … row of a model, whose color they share"""
AXIS = 36
"""Pixels of an axis of numbers"""
MOST_POINTS = 120
"""Of a line: more are not told apart"""
TILES = {"scale": {"paddingInner": 0.06, "paddingOuter": 0}}
NOISE, ABOVE, BELOW = "within noise", "better", "worse"
VERDICTS = {ABOVE: "#1f5fa8", NOISE: "#646b74", BELOW: "#a8492a"}
"""What a row is against another → the color of the cell, on which white text has a contrast of 4.5 or more"""
SHADES = ["#e4edf7", "#7fb0de", "#12508f"]
WHITE_FROM = 0.87
"""Share from which white text on the shade has more contrast than black"""


def curves(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """NDCG over the length of the lists; None where no row has it for several lengths."""
    known = [(row, row.curve) for row in rows if len(row.curve) > 1]
    title = f"NDCG of each model over the length of its lists, 1 to {board.k}."
    return _lines(known, size, ("k", "NDCG@k"), title) if known else None


def validation(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """NDCG on the validation queries over the epochs of one seed; None where no row has it."""
    known = [(row, row.validation) for row in rows if len(row.validation) > 1]
    title = f"NDCG@{VALID_K} on a sample of the validation queries over epochs of training, first seed."
    return _lines(known, size, ("epoch", f"validation NDCG@{VALID_K}"), title) if known else None


def _lines(known: list[tuple[RowData, Points]], size: Size, axes: tuple[str, str], title: str) -> Spec:
    values = [value for row, points in known for value in _points(row, points)]
    order = [row.name for row, _ in known]
    by_name = {"field": "name", "type": "nominal", "sort": order}
    legend = {"title": None, "orient": "bottom", "columns": max(size.width // 220, 1), "symbolType": "stroke"}
    return chart(
        values,
        title,
        width=size.width,
        height=size.height,
        mark={"type": "line", "strokeWidth": 1.75, "point": {"size": 16, "filled": True}},
        encoding={
            "x": {"field": "x", "type": "quantitative", "title": axes[0], "scale": {"nice": False},
                  "axis": {"grid": False, "tickMinStep": 1, "tickCount": size.width // 60}},
            "y": {"field": "y", "type": "quantitative", "title": axes[1], "scale": {"zero": False}},
            "color": by_name | {"scale": {"domain": order, "range": [row.color for row, _ in known]},
                                "legend": legend},
            "strokeDash": by_name | {"scale": {"domain": order, "range": list(_dashes(known))},
                                     "legend": legend},
            "tooltip": [{"field": "name", "title": "model"}, {"field": "x", "title": axes[0]},
                        {"field": "y", "title": axes[1], "format": FORMAT}],
        },
    )  # fmt: skip


def _points(row: RowData, points: Points) -> Iterator[dict[str, Any]]:
    every = -(-len(points) // MOST_POINTS)
    kept = [*points[:-1:every], points[-1]]
    return ({"name": row.name, "x": x, "y": round(y, 6)} for x, y in kept)


def _dashes(known: list[tuple[RowData, Points]]) -> Iterator[list[int]]:
    seen = Counter[str]()
    for row, _ in known:
        yield DASHES[seen[row.model] % len(DASHES)]
        seen[row.model] += 1


def losses(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """The loss of each model on a scale of its own: losses of two models do not compare."""
    known = [row for row in rows if len(row.loss) > 1]
    if not known:
        return None
    columns = max(size.width // 240, 2)
    values = [value | {"color": row.color} for row in known for value in _points(row, row.loss)]
    return chart(
        values,
        "Training loss over epochs, a plot a model, first seed.",
        facet={"field": "name", "type": "nominal", "title": None, "sort": [row.name for row in known],
               "header": {"labelAnchor": "start", "labelFontWeight": "bold"}},
        columns=columns,
        bounds="flush",
        spacing={"row": 62, "column": AXIS + 12},
        spec={
            "width": size.width // columns - AXIS - 12,
            "height": size.height // 4,
            "mark": {"type": "line", "strokeWidth": 1.75, "point": {"size": 12, "filled": True}},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": None,
                      "axis": {"grid": False, "tickMinStep": 1, "tickCount": 4}},
                "y": {"field": "y", "type": "quantitative", "title": None, "scale": {"zero": False},
                      "axis": {"tickCount": 4, "minExtent": AXIS, "maxExtent": AXIS}},
                "color": COLOR,
                "tooltip": [{"field": "name", "title": "model"}, {"field": "x", "title": "epoch"},
                            {"field": "y", "title": "loss", "format": ".4~g"}],
            },
        },
        resolve={"scale": {"x": "independent", "y": "independent"}},
    )  # fmt: skip


def slices(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """NDCG on each slice, shaded by its share of the best there; None where no run has slices."""
    values = list(_cells(rows))
    if not values:
        return None
    order = list(dict.fromkeys(value["slice"] for value in values))
    cell = {"x": {"field": "slice", "type": "nominal", "sort": order, "title": None,
                  "scale": {"paddingInner": 0.02},
                  "axis": {"orient": "top", "labelAngle": -35, "domain": False, "ticks": False}},
            "y": names(rows, size) | TILES}  # fmt: skip
    shade = {"field": "share", "type": "quantitative", "title": "share of the slice's best",
             "scale": {"domain": [0.4, 1], "clamp": True, "range": SHADES},
             "legend": {"orient": "bottom", "format": "%", "gradientLength": min(size.width, 220),
                        "tickCount": 3}}  # fmt: skip
    told = [{"field": "name", "title": "model"}, {"field": "slice", "title": "slice"},
            {"field": "queries", "title": "queries", "format": ","},
            {"field": "ndcg", "title": f"NDCG@{board.k}", "format": FORMAT},
            {"field": "recall", "title": f"Recall@{board.k}", "format": FORMAT}]  # fmt: skip
    written = {"condition": {"test": f"datum.share > {WHITE_FROM}", "value": "#ffffff"}, "value": "#000000"}
    return chart(
        values,
        f"NDCG@{board.k} of each model on parts of the queries, shaded by its share of the best there.",
        width=min(size.width, 96 * len(order)),
        height={"step": 24},
        encoding=cell,
        layer=[
            {"mark": "rect", "encoding": {"color": shade, "tooltip": told}},
            {"mark": {"type": "text", "fontSize": 10.5}, "encoding": {
                "text": {"field": "ndcg", "format": ".3f"}, "color": written, "tooltip": told}},
        ],
    )  # fmt: skip


def _cells(rows: Sequence[RowData]) -> Iterator[dict[str, Any]]:
    best: dict[str, float] = {}
    for part in (part for row in rows for part in row.slices if part.ndcg is not None):
        best[part.slice] = max(best.get(part.slice, 0.0), part.ndcg or 0.0)
    for row in rows:
        for part in row.slices:
            if part.ndcg is not None and best[part.slice]:
                yield {"name": row.name, "slice": part.slice, "queries": part.queries, "ndcg": part.ndcg,
                       "recall": part.recall, "share": part.ndcg / best[part.slice]}  # fmt: skip


def significance(board: BoardData, rows: Sequence[RowData], size: Size) -> Spec | None:
    """Whether a row's NDCG is above, below or within noise of another's; None where nothing was tested."""
    values = list(_pairs(board, rows))
    if not values:
        return None
    verdict = {"field": "verdict", "type": "nominal", "title": "the row is",
               "scale": {"domain": list(VERDICTS), "range": list(VERDICTS.values())},
               "legend": {"orient": "bottom"}}  # fmt: skip
    order = [row.name for row in rows]
    step = min(size.width // len(rows), 44)
    across = {"field": "other", "type": "nominal", "sort": order, "title": None, **TILES,
              "axis": {"orient": "top", "labelAngle": -45, "domain": False, "ticks": False,
                       "labelLimit": 190 if size.width > 600 else 110}}  # fmt: skip
    told = [{"field": "name", "title": "model"}, {"field": "other", "title": "against"},
            {"field": "verdict", "title": "is"}, {"field": "p", "title": "p, corrected"}]  # fmt: skip
    layer: list[Spec] = [{"mark": "rect", "encoding": {"color": verdict, "tooltip": told}}]
    if step >= 36:
        layer.append({"mark": {"type": "text", "fontSize": 10, "color": "#ffffff"},
                      "encoding": {"text": {"field": "p"}, "tooltip": told}})  # fmt: skip
    return chart(
        values,
        "Paired tests of NDCG between all models: which differences are more than noise.",
        width={"step": step},
        height={"step": min(step, 26)},
        encoding={"x": across, "y": names(rows, size) | TILES},
        layer=layer,
    )


def _pairs(board: BoardData, rows: Sequence[RowData]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for other in rows:
            p = board.p_values.get((row.name, other.name))
            if p is not None:
                yield {"name": row.name, "other": other.name, "p": written_p(p),
                       "verdict": _verdict(row, other, p)}  # fmt: skip


def _verdict(row: RowData, other: RowData, p: float) -> str:
    if p >= LEVEL:
        return NOISE
    return ABOVE if row.metrics["ndcg"].mean > other.metrics["ndcg"].mean else BELOW


def written_p(p: float) -> str:
    """A p-value as tables have it."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
