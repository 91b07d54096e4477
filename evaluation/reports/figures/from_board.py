"""The plain values of a board, from all that pages say of it."""

from __future__ import annotations

import re
from statistics import mean
from typing import Any

from retrieval_leaderboard.evaluation.metrics.registry import PER_QUERY
from retrieval_leaderboard.evaluation.metrics.slices import Slice
from retrieval_leaderboard.evaluation.reports import main_table
from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders
from retrieval_leaderboard.evaluation.reports.costs import without_seconds
from retrieval_leaderboard.evaluation.reports.figures import palette
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
from retrieval_leaderboard.evaluation.reports.pages import command
from retrieval_leaderboard.evaluation.reports.pages.verdict import verdict
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.evaluation.reports.slices import counted
from retrieval_leaderboard.evaluation.runs.record import Result, RunRecord
from retrieval_leaderboard.evaluation.statistics.standing import Interval


def board_data(report: Report) -> BoardData:
    """The values of a board; bars are over seeds where no row has metrics of its queries."""
    board, bars = report.board, _bars(report)
    rows = [entry.row for entry in report.entries]
    return BoardData(
        title=board.heading,
        dataset=board.dataset.title,
        k=board.k,
        verdict=verdict(report),
        facts=_facts(board),
        metrics={
            name: f"{main_table.SHOWN[name]}@{board.k}"
            for name in dict.fromkeys([*main_table.FIRST, *main_table.SHOWN])
            if any(row.values(name) for row in rows)
        },
        machine=report.machine,
        without_seconds=without_seconds(entry.costs for entry in report.done),
        bars=bars,
        reference=report.reference.name if report.reference else "",
        rows=[
            RowData(
                **_about(entry, label, entry.row in contenders(rows)),
                **_measured(entry, bars),
                rank=entry.standing.rank if entry.standing and _ranked(report, entry) else "",
            )
            for entry, label in zip(report.entries, labels(rows), strict=True)
        ],
        p_values=report.p_values,
        synthetic=board.dataset.synthetic,
    )


def _about(entry: Entry, label: str, contends: bool) -> dict[str, Any]:
    """What is known of a row whatever came out."""
    row = entry.row
    words = filter(None, (command.search(row), command.command(row)))
    return {
        "name": entry.name,
        "model": row.model,
        "detail": _detail(label.removeprefix(row.model)),
        "official": entry.official,
        "contends": contends,
        "brief": entry.brief,
        "made": row.provenance.summary(),
        "commands": [command.lines(each) for each in words],
        "to_put_in": command.to_put_in(row).replace("`", ""),
        "settings": row.shown_settings,
        "seeds": sorted(record.seed for record in row.done + row.failed),
        "date": row.newest.date,
        "color": palette.color(row.model),
        "shape": palette.shape(row.model),
        "repeats": entry.repeats,
    }


def _detail(text: str) -> str:
    """The settings that a label has in brackets behind the model."""
    found = re.match(r" \((.*)\)[^()]*$", text)
    return found[1] if found else ""


def _measured(entry: Entry, bars: str) -> dict[str, Any]:
    """What came out of its runs, or why nothing did."""
    row, standing = entry.row, entry.standing
    if not row.done:
        return {"reason": main_table.failure(row)}
    log = _training(row)
    return {
        "metrics": _metrics(entry, bars),
        "lead": entry.lead,
        "p": standing.p if standing else None,
        "costs": _costs(entry),
        "slices": _slices(row),
        "curve": _curve(row),
        "loss": _points(log, "loss"),
        "validation": _points(log, "valid_ndcg"),
    }


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


def _bars(report: Report) -> str:
    if any(entry.standing for entry in report.entries):
        return INTERVALS
    return OVER_SEEDS if any(entry.row.spread("ndcg") for entry in report.entries) else ""


def _ranked(report: Report, entry: Entry) -> bool:
    """Whether all rows of its table were tested: else a rank would be one among a few."""
    return all(each.standing for each in report.done if each.official == entry.official)


def _metrics(entry: Entry, bars: str) -> dict[str, Interval]:
    """By name; the mean alone where no bar of that kind is known."""
    known = entry.standing.metrics if entry.standing else {}
    measured = (name for name in PER_QUERY if entry.row.values(name))
    return {name: known.get(name) or _mean(entry.row, name, bars) for name in measured}


def _mean(row: Row, name: str, bars: str) -> Interval:
    mean, spread = row.mean(name), (bars == OVER_SEEDS and row.spread(name)) or 0.0
    return Interval(mean, mean - spread, mean + spread)


def _costs(entry: Entry) -> dict[str, float]:
    """By field, without what was not measured; memory of a GPU where one was used."""
    found = {name: entry.costs.mean(name) for name in COSTS}
    return {
        name: value for name, value in found.items() if value is not None and (value or "gpu" not in name)
    }


def _slices(row: Row) -> list[SliceScore]:
    """The means over the runs of a row, in the order of the run that has most slices."""
    parts: dict[str, list[tuple[Slice, Result]]] = {}
    for record in sorted(row.done, key=lambda record: -len(record.measured.slices)):
        for part in record.measured.slices:
            parts.setdefault(part.slice, []).append((part, record.measured))
    return [_slice(name, runs) for name, runs in parts.items()]


def _slice(name: str, runs: list[tuple[Slice, Result]]) -> SliceScore:
    parts, _ = counted(name, runs)
    if not parts:
        return SliceScore(name, runs[0][0].queries, None, None)
    recall, ndcg = (mean(part.metrics[key] for part in parts) for key in ("recall", "ndcg"))
    return SliceScore(name, runs[0][0].queries, recall, ndcg)


def _curve(row: Row) -> Points:
    """The mean over its runs at every length of the lists that all of them have NDCG of."""
    known = [_by_length(record) for record in row.done]
    lengths = sorted(set.intersection(*map(set, known)))
    return [(k, sum(each[k] for each in known) / len(known)) for k in lengths]


def _by_length(record: RunRecord) -> dict[int, float]:
    """Length → NDCG: every one where they were kept, or else those that were asked for."""
    at = record.measured.at | {str(record.k): record.measured.metrics}
    asked = {int(k): metrics["ndcg"] for k, metrics in at.items() if "ndcg" in metrics}
    return asked | dict(enumerate(record.measured.curve, start=1))


def _training(row: Row) -> list[dict[str, float]]:
    """The log of its first seed; of the fit that chose the epochs where that alone was validated."""
    first: RunRecord = min(row.done, key=lambda record: record.seed)
    return list(first.measured.choosing or first.measured.training)


def _points(log: list[dict[str, float]], name: str) -> Points:
    return [(each["epoch"], each[name]) for each in log if "epoch" in each and name in each]
