"""A board in a sentence, by rule."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.figures.data import INTERVALS, BoardData, RowData
from retrieval_leaderboard.evaluation.reports.figures.detail_charts import SIGNIFICANT

CHEAPER = 2.0
"""Ratio of costs from which it is told"""


def verdict(board: BoardData) -> str:
    """The best row, its lead over the reference with interval, and its cost; "" without a result."""
    rows = [row for row in board.official if row.contends] or board.official
    if not rows:
        return ""
    best = max(rows, key=lambda row: row.metrics["ndcg"].mean)
    ndcg = best.metrics["ndcg"]
    known = board.bars == INTERVALS and ndcg.low < ndcg.high
    interval = f" (95 % interval {ndcg.low:.4f} to {ndcg.high:.4f})" if known else ""
    told = f"{best.name} has the best NDCG@{board.k}: {ndcg.mean:.4f}{interval}"
    reference = next((row for row in rows if row.name == board.reference and row is not best), None)
    return told + (_against(best, reference) if reference else "") + "."


def _against(best: RowData, reference: RowData) -> str:
    if best.lead is None or best.p is None:
        return ""
    lead = best.lead
    told = f", {lead.mean:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}) over {reference.name}"
    ratio = _ratio(best, reference)
    if best.p >= SIGNIFICANT:
        at = f", which takes 1/{ratio:.0f} of the time to fit" if ratio >= CHEAPER else ""
        return f"{told}: within noise of it{at}"
    return told + (f", at {ratio:.0f} times its time to fit" if ratio >= CHEAPER else "")


def _ratio(best: RowData, reference: RowData) -> float:
    """Of their seconds to fit; 0 where they were not measured on one machine."""
    mine, other = best.costs.get("fit_seconds", 0.0), reference.costs.get("fit_seconds", 0.0)
    return mine / other if other else 0.0
