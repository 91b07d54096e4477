"""A board as CSV: a line a run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.metrics.measure import LIST_LEVEL, PER_QUERY
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.labels import written
from retrieval_leaderboard.evaluation.reports.lengths_table import other_lengths
from retrieval_leaderboard.evaluation.runs.record import RunRecord

COSTS = (
    "fit_seconds", "recommend_seconds", "peak_rss_mib", "parameters", "queries_per_second", "peak_gpu_mib",
    "threads", "processor",
)  # fmt: skip
ASKED = ("device", "precision", "date", "commit")


def text(board: Board) -> str:
    """Failed runs have empty numbers, and their reason."""
    lengths = [board.k, *other_lengths(board.rows)]
    metrics = [f"{name}@{k}" for k in lengths for name in (*PER_QUERY, *LIST_LEVEL)]
    head = ["model", "seed", "status", "queries", *metrics, *COSTS, *ASKED, "shipped"]
    head += ["dataset", "protocol", "exclude_seen", "fingerprint", "settings", "provenance", "reason"]
    out = io.StringIO()
    writer = csv.DictWriter(out, head, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        writer.writerows(_line(record, row, board) for record in row.done + row.failed)
    return out.getvalue()


def about(path: Path) -> tuple[str, int] | None:
    """Fingerprint and k of the board that was written to `path`; None where none was."""
    if not path.is_file():
        return None
    first = next(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8", errors="replace"))), {})
    k = next((name.partition("@")[2] for name in first if name and name.startswith("ndcg@")), "")
    return (first.get("fingerprint", ""), int(k)) if k.isdecimal() else None


def _line(record: RunRecord, row: Row, board: Board) -> dict[str, Any]:
    about = board.dataset
    return {
        "model": record.model,
        "seed": record.seed,
        "status": "done" if record.is_done else "failed",
        **(_measured(record, board.k) if record.is_done else {}),
        **{name: getattr(record, name) for name in ASKED},
        "shipped": row.shipped,
        "dataset": about.title,
        "protocol": about.protocol,
        "exclude_seen": about.exclude_seen,
        "fingerprint": record.fingerprint,
        "settings": written(record.settings),
        "provenance": record.provenance.summary(),
        "reason": record.reason,
    }


def _measured(record: RunRecord, k: int) -> dict[str, Any]:
    by_length = {str(k): record.measured.metrics} | record.measured.at
    metrics = {
        f"{name}@{length}": f"{value:.6f}"
        for length, values in by_length.items()
        for name, value in values.items()
    }
    costs = {name: getattr(record.costs, name) for name in COSTS if record.costs.machine}
    return {"queries": record.dataset.test_queries} | metrics | costs
