"""The first sentence of a board: which row leads, by how much over ItemCF and at what cost, by rule."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.support.progress import duration

ALIKE = 1.5
"""Costs within this factor are called about the same"""


def verdict(report: Report) -> str:
    """A few sentences without a line break, as Markdown."""
    official = [entry for entry in report.official if entry.row.done]
    if not report.done:
        sentences = ["Every run failed, so there is nothing to compare."]
    elif not official:
        sentences = ["No official row has a result yet.", _explored(report, None)]
    else:
        sentences = [*_of_official(report, official), _explored(report, official[0])]
    if report.board.dataset.synthetic:
        sentences.insert(0, "Synthetic data.")
    return " ".join(filter(None, [*sentences, _failed(report)]))


def _of_official(report: Report, official: list[Entry]) -> list[str]:
    best = official[0]
    if len(official) == 1:
        return [f"**{best.name}** is the only official row with a result, NDCG@{report.board.k} {_score(best)}."]
    return [_lead(report, best), *_beside_item_cf(report, best), _ties(report, best, official[1:])]


def _lead(report: Report, best: Entry) -> str:
    seconds = best.costs.seconds
    cost = "" if seconds is None else f", for {_duration(seconds)} of fitting and ranking"
    return f"**{best.name}** leads with NDCG@{report.board.k} {_score(best)}{cost}."


def _beside_item_cf(report: Report, best: Entry) -> list[str]:
    """By how much the best row is above ItemCF, and what ItemCF costs beside it."""
    reference = report.reference
    if reference is None:
        return ["There is no row of ItemCF to compare it with."]
    if reference is best:
        return ["No official row is above ItemCF."]
    share = f"{best.ndcg / reference.ndcg - 1:+.1%}" if reference.ndcg > 0 else "–"
    cost = _cost_beside(best, reference)
    if best.lead is None:
        return [f"That is {share} beside ItemCF{cost and f', which comes {cost}'}; not tested."]
    lead = f"{best.lead.mean:+.4f} ({share}; 95 % interval {best.lead.low:+.4f} to {best.lead.high:+.4f})"
    if best.differs:
        return [f"Its lead over ItemCF is {lead}{cost and f'; ItemCF comes {cost}'}."]
    return [f"ItemCF is within noise{cost and f' {cost}'}: the difference is {lead}."]


def _ties(report: Report, best: Entry, others: list[Entry]) -> str:
    """The other rows that no test tells from the best, with what they cost beside it."""
    tied = [each for each in others if each is not report.reference and report.within_noise(best, each)]
    if not tied:
        return ""
    named = ((each.name, _cost_beside(best, each)) for each in tied)
    listed = ", ".join(f"{name}{cost and f' ({cost})'}" for name, cost in named)
    return f"Also within noise of it: {listed}." if _item_cf_ties(report, best) else f"Within noise of it: {listed}."


def _item_cf_ties(report: Report, best: Entry) -> bool:
    return report.reference not in (None, best) and best.lead is not None and not best.differs


def _explored(report: Report, best: Entry | None) -> str:
    """The best of the other rows, where it is above the official ones."""
    found = next((entry for entry in report.explored if entry.row.done), None)
    if found is None or (best is not None and found.ndcg <= best.ndcg):
        return ""
    return f"Explored further, {found.name} has {_score(found)}."


def _failed(report: Report) -> str:
    failed = [entry.name for entry in report.entries if not entry.row.done]
    return f"Failed: {', '.join(failed)}." if failed and report.done else ""


def _score(entry: Entry) -> str:
    interval = entry.interval
    sure = "" if interval is None else f" (95 % interval {interval.low:.4f} to {interval.high:.4f})"
    return f"{entry.ndcg:.4f}{sure}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _cost_beside(one: Entry, other: Entry) -> str:
    """What `other` costs beside `one`: "at 1/60 of the cost"; "" where that is not known."""
    ours, theirs = one.costs.seconds, other.costs.seconds
    if not ours or not theirs:
        return ""
    ratio = ours / theirs
    if 1 / ALIKE <= ratio <= ALIKE:
        return "at about the same cost"
    return f"at 1/{_rounded(ratio)} of the cost" if ratio > 1 else f"at {_rounded(1 / ratio)} times the cost"


def _rounded(ratio: float) -> str:
    """Two digits say enough."""
    return f"{float(f'{ratio:.2g}'):,.10g}"
