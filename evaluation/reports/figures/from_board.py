"""The plain values of a board, from its stored runs and what statistics say of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import isnan
from typing import Any

from retrieval_leaderboard.evaluation.metrics.registry import PER_QUERY
from retrieval_leaderboard.evaluation.metrics.slices import COLD_ITEMS, Slice
from retrieval_leaderboard.evaluation.reports import main_table
from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.evaluation.reports.figures.command import command
from retrieval_leaderboard.evaluation.reports.figures.data import (
    COSTS,
    INTERVALS,
    OVER_SEEDS,
    BoardData,
    Points,
    RowData,
    SliceScore,
)
from retrieval_leaderboard.evaluation.reports.labels import labels
from retrieval_leaderboard.evaluation.runs.record import Result, RunRecord
from retrieval_leaderboard.evaluation.statistics.standing import BoardStatistics, Interval, Standing

FIRST = ("ndcg", "recall")
"""Metrics whose columns come first"""


def board_data(board: Board, statistics: BoardStatistics | None = None) -> BoardData:
    """The values of `board`; without `statistics`, bars are over seeds and nothing is tested."""
    order = sorted(range(len(board.rows)), key=lambda at: -board.rows[at].mean("ndcg"))
    rows = [board.rows[at] for at in order]
    found = [statistics.standings[at] for at in order] if statistics else [None] * len(rows)
    names, machine, bars = _names(rows), _machine(rows), _bars(rows, found)
    made = zip(rows, names, labels(rows), found, strict=True)
    reference = statistics.reference if statistics else None
    return BoardData(
        title=board.heading,
        dataset=board.dataset.title,
        k=board.k,
        facts=_facts(board),
        metrics={
            name: main_table.metric_column(name, board.k)
            for name in dict.fromkeys([*FIRST, *main_table.SHOWN])
            if any(row.values(name) for row in rows)
        },
        machine=machine,
        bars=bars,
        reference="" if reference is None else names[order.index(reference)],
        rows=[
            RowData(**_about(board, row, name, label), **_measured(row, standing, machine, bars))
            for row, name, label, standing in made
        ],
        p_values=_p_values(statistics, order),
        synthetic=board.dataset.synthetic,
    )


def _about(board: Board, row: Row, name: str, label: str) -> dict[str, Any]:
    """What is known of a row whatever came out."""
    return {
        "name": name,
        "model": row.model,
        "detail": _detail(label.removeprefix(row.model)),
        "official": row.provenance.official,
        "contends": row in contenders(board.rows),
        "brief": row.provenance.brief,
        "made": row.provenance.summary(),
        "command": command(row, board),
        "settings": row.shown_settings,
        "seeds": sorted(record.seed for record in row.done + row.failed),
        "date": row.newest.date,
        "color": palette.color(row.model),
        "shape": palette.shape(row.model),
    }


def _detail(text: str) -> str:
    """What a label says beyond the model, without the brackets around settings."""
    return re.sub(r"^ \((.*)\)(?=[^()]*$)", r"\1", text).strip(" ,")


def _measured(row: Row, standing: Standing | None, machine: str, bars: str) -> dict[str, Any]:
    """What came out of its runs, or why nothing did."""
    if not row.done:
        return {"reason": main_table.failure(row)}
    curves = _training(row)
    return {
        "rank": standing.rank if standing else "",
        "metrics": _metrics(row, standing, bars),
        "lead": standing.lead if standing else None,
        "p": standing.p if standing else None,
        "costs": _costs(row) if row.machine == machine else {},
        "slices": _slices(row),
        "curve": _curve(row),
        "loss": _points(curves, "loss"),
        "validation": _points(curves, "valid_ndcg"),
    }


def _names(rows: Sequence[Row]) -> list[str]:
    """The model of each row, numbered where it has several."""
    times, seen = Counter(row.model for row in rows), Counter[str]()
    names = []
    for row in rows:
        seen[row.model] += 1
        names.append(row.model if times[row.model] == 1 else f"{row.model} {seen[row.model]}")
    return names


def _machine(rows: Sequence[Row]) -> str:
    """What most rows were measured on: costs of two machines do not compare."""
    return next(iter(Counter(row.machine for row in rows if row.done).most_common(1)), ("", 0))[0]


def _facts(board: Board) -> dict[str, str]:
    about = board.dataset
    return {
        "users": f"{about.users:,}",
        "items": f"{about.items:,}",
        "training interactions": f"{about.train_valid_interactions:,}",
        "test queries": f"{about.test_queries:,}",
        "relevant items": f"{about.test_items:,}",
        "split seed": str(board.split_seed),
        "newest run": max(record.date for record in board.records),
        "fingerprint": board.fingerprint,
    }


def _bars(rows: Sequence[Row], standings: Sequence[Standing | None]) -> str:
    if any(standings):
        return INTERVALS
    return OVER_SEEDS if any(row.spread("ndcg") for row in rows) else ""


def _metrics(row: Row, standing: Standing | None, bars: str) -> dict[str, Interval]:
    """By name; the mean alone where no bar of that kind is known."""
    known = standing.metrics if standing else {}
    return {name: known.get(name) or _mean(row, name, bars) for name in PER_QUERY if row.values(name)}


def _mean(row: Row, name: str, bars: str) -> Interval:
    mean, spread = row.mean(name), (bars == OVER_SEEDS and row.spread(name)) or 0.0
    return Interval(mean, mean - spread, mean + spread)


def _costs(row: Row) -> dict[str, float]:
    known = (name for name in COSTS if all(getattr(each.costs, name) is not None for each in row.timed))
    found = {name: row.cost(name) for name in known}
    return found if found["peak_gpu_mib"] else {key: found[key] for key in found if key != "peak_gpu_mib"}


def _slices(row: Row) -> list[SliceScore]:
    """The means over the runs of a row, in the order of the run that has most slices."""
    parts: dict[str, list[tuple[Slice, Result]]] = {}
    for record in sorted(row.done, key=lambda record: -len(record.measured.slices)):
        for part in record.measured.slices:
            parts.setdefault(part.slice, []).append((part, record.measured))
    return [_slice(name, runs) for name, runs in parts.items()]


def _slice(name: str, runs: list[tuple[Slice, Result]]) -> SliceScore:
    able = [part for part, result in runs if part.queries and part.listed != 0]
    reached = any(result.reaches_cold_items or part.metrics.get("recall") for part, result in runs)
    if not able or (name == COLD_ITEMS and not reached):
        return SliceScore(name, runs[0][0].queries, None, None)
    recall, ndcg = (sum(part.metrics[key] for part in able) / len(able) for key in ("recall", "ndcg"))
    return SliceScore(name, runs[0][0].queries, recall, ndcg)


def _curve(row: Row) -> Points:
    """The mean over its runs, where all have it."""
    curves = [record.measured.curve for record in row.done]
    return (
        [(k, sum(at) / len(at)) for k, at in enumerate(zip(*curves, strict=True), start=1)]
        if all(curves)
        else []
    )


def _training(row: Row) -> list[dict[str, float]]:
    """The log of its first seed; of the fit that chose the epochs where that alone was validated."""
    first: RunRecord = min(row.done, key=lambda record: record.seed)
    return list(first.measured.choosing or first.measured.training)


def _points(log: list[dict[str, float]], name: str) -> Points:
    return [(each["epoch"], each[name]) for each in log if "epoch" in each and name in each]


def _p_values(statistics: BoardStatistics | None, order: Sequence[int]) -> list[list[float | None]]:
    if statistics is None or not any(statistics.standings):
        return []
    values = statistics.p_values[list(order)][:, list(order)].tolist()
    return [[None if isnan(value) else value for value in line] for line in values]
