"""The boards of a dataset as CSV: a line a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from retrieval_leaderboard.evaluation.metrics.measure import LIST_LEVEL, PER_QUERY
from retrieval_leaderboard.evaluation.reports.labels import written
from retrieval_leaderboard.evaluation.reports.pages.lengths_table import other_lengths
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.evaluation.runs.record import RunRecord

COSTS = (
    "fit_seconds", "recommend_seconds", "peak_rss_mib", "parameters", "queries_per_second", "peak_gpu_mib",
    "threads", "ranks", "processor", "engine",
)  # fmt: skip
ASKED = ("device", "precision", "date", "commit")
OF_ROWS = ("official", "name", "rank", "ndcg_low", "ndcg_high", "lead", "lead_low", "lead_high", "p")
"""What holds of all runs of a row: intervals of its NDCG, and its NDCG minus ItemCF's"""


def text(reports: Sequence[Report]) -> str:
    """Failed runs have empty numbers, and their reason; a row has the metrics of its own k."""
    lengths = dict.fromkeys(
        k for report in reports for k in (report.board.k, *other_lengths(report.board.rows))
    )
    metrics = [f"{name}@{k}" for k in lengths for name in (*PER_QUERY, *LIST_LEVEL)]
    head = ["model", "seed", "status", "queries", *metrics, *COSTS, *ASKED, "shipped"]
    head += ["dataset", "protocol", "exclude_seen", "fingerprint", "settings", "provenance", "reason"]
    head += ["k", "split_seed", "ties", *OF_ROWS]
    out = io.StringIO()
    writer = csv.DictWriter(out, head, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for report in reports:
        for entry in report.entries:
            writer.writerows(_line(record, entry, report) for record in entry.row.done + entry.row.failed)
    return out.getvalue()


def _line(record: RunRecord, entry: Entry, report: Report) -> dict[str, Any]:
    about, k = report.board.dataset, report.board.k
    return {
        "model": record.model,
        "seed": record.seed,
        "status": "done" if record.is_done else "failed",
        **(_measured(record, k) if record.is_done else {}),
        **{name: getattr(record, name) for name in ASKED},
        "shipped": entry.row.shipped,
        "dataset": about.title,
        "protocol": about.protocol,
        "exclude_seen": about.exclude_seen,
        "fingerprint": record.fingerprint,
        "settings": written(record.settings),
        "provenance": record.provenance.summary(),
        "reason": record.reason,
        "k": k,
        "split_seed": about.split_seed,
        "ties": about.ties,
        **_of_row(entry),
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


def _of_row(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"official": entry.official, "name": entry.name}
    if entry.standing:
        found["rank"] = entry.standing.rank
        found["p"] = "" if entry.standing.p is None else f"{entry.standing.p:.3g}"
    if entry.interval:
        found |= {"ndcg_low": f"{entry.interval.low:.6f}", "ndcg_high": f"{entry.interval.high:.6f}"}
    if lead := entry.lead:
        found |= {"lead": f"{lead.mean:.6f}", "lead_low": f"{lead.low:.6f}", "lead_high": f"{lead.high:.6f}"}
    return found
