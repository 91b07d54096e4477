"""The first sentences of a board: which row leads, by how much over ItemCF and at what cost, by rule."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.datasets.profiling import FEW_QUERIES
from retrieval_leaderboard.evaluation.reports.board import contenders
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.support.progress import duration

ALIKE = 1.5
"""Costs within this factor are called about the same"""
SMALL = 10
"""From which times on a smaller cost is called a fraction"""
UNTESTED = "(not tested: metrics of each query are not stored)"


def verdict(report: Report) -> str:
    """A few sentences without a line break, as Markdown.

    The best official row leads, but where a row explored further is better and its model has no official row:
    then the official rows lack a model that is known to be better, and the explored row is told first.
    """
    sentences = ["Synthetic data."] if report.board.dataset.synthetic else []
    if (asked := report.board.dataset.test_queries) < FEW_QUERIES:
        sentences.append(f"Only {asked} test {'query' if asked == 1 else 'queries'}: differences are chance.")
    if not report.done:
        return " ".join([*sentences, "Every run failed: there is nothing to compare."])
    official = [entry for entry in report.official if entry.row.done and not entry.repeats]
    found = _best_explored(report)
    if found and official and official[0].ndcg >= found.ndcg:
        found = None
    if found and official and found.row.model not in {entry.row.model for entry in official}:
        sentences += [*_unmatched(report, found), *_behind(report, official)]
    else:
        sentences += _official(report, official)
        if found:
            sentences += [
                f"Explored further, {_lead(report, found, 'has')}.",
                *_beside_item_cf(report, found),
            ]
    sentences += _override_above(report)
    if failed := [entry.name for entry in report.entries if not entry.row.done]:
        sentences.append(f"Failed: {', '.join(failed)}.")
    return " ".join(sentences)


def _official(report: Report, official: Sequence[Entry]) -> list[str]:
    """What the official rows say."""
    if not official:
        return ["No official row has a result."]
    best, *others = official
    if not best.ndcg:
        return [f"Every official row has NDCG@{report.board.k} 0: none returned a relevant item."]
    if not others:
        return [f"Only one official row has a result: **{best.name}**, NDCG@{report.board.k} {_score(best)}."]
    return [
        f"{_lead(report, best, 'leads with')}.",
        *_beside_item_cf(report, best),
        *_ties(report, best, others),
    ]


def _unmatched(report: Report, found: Entry) -> list[str]:
    """What a row explored further says that no official row of its model stands beside."""
    first = f"Explored further, {_lead(report, found, 'comes first with')}; its model has no official result."
    return [first, *_beside_item_cf(report, found)]


def _behind(report: Report, official: Sequence[Entry]) -> list[str]:
    """What the official rows say where none of them leads."""
    best, *others = official
    if not others:
        return [f"The only official row, **{best.name}**, has {_score(best)}."]
    compared = report.reference is not None and report.reference.official
    told = f"Of the official rows, {_lead(report, best, 'comes first with')}."
    return [told, *(_beside_item_cf(report, best) if compared else [])]


def _best_explored(report: Report) -> Entry | None:
    """The best of the other rows; a CLI override, which test results may have picked, only where nothing
    else is there.
    """
    able = contenders([entry.row for entry in report.done])
    return next((each for each in report.explored if each.row in able and not each.repeats), None)


def _override_above(report: Report) -> list[str]:
    """The CLI override that is above every row which may be called the best, by more than noise."""
    able = contenders([entry.row for entry in report.done])
    done = [each for each in report.done if not each.repeats]
    best = next((each for each in done if each.row in able), None)
    above = best is not None and done[0] is not best and not report.within_noise(best, done[0])
    return [f"With settings from a command line, {done[0].name} has {done[0].ndcg:.4f}."] if above else []


def _lead(report: Report, best: Entry, verb: str) -> str:
    seconds = best.costs.seconds
    cost = "" if seconds is None else f"; fitting and ranking took {_duration(seconds)}"
    return f"**{best.name}** {verb} NDCG@{report.board.k} {_score(best)}{cost}"


def _beside_item_cf(report: Report, best: Entry) -> list[str]:
    """By how much a row is above ItemCF, and what ItemCF costs beside it."""
    reference = report.reference
    if reference is None:
        return ["No row of ItemCF is there to compare it with."]
    if reference is best:
        return ["The other rows are compared with this one."]
    share = f"{best.ndcg / reference.ndcg - 1:+.1%}" if reference.ndcg > 0 else ""
    cost = _cost_beside(best, reference)
    elsewhere = ", which was explored further," if best.official and not reference.official else ""
    if best.lead is None:
        beside = f"ItemCF{elsewhere} has {reference.ndcg:.4f}"
        apart = f": the difference is {share} {UNTESTED}" if share else ""
        return [f"{beside}{cost and f' {cost}'}{apart}."]
    interval = f"95 % interval {best.lead.low:+.4f} to {best.lead.high:+.4f}"
    change = f"{best.lead.mean:+.4f} ({'; '.join(filter(None, (share, interval)))})"
    if best.differs:
        return [f"Its difference to ItemCF{elsewhere} is {change}{cost and f'; ItemCF comes {cost}'}."]
    within = f"ItemCF{elsewhere} is within noise{cost and f' {cost}'}: the difference is"
    # The interval is of this pair alone, the test is corrected for all pairs: they may differ.
    if best.lead.low <= 0 <= best.lead.high:
        return [f"{within} {change}."]
    corrected = "not significant once corrected for the number of pairs"
    return [f"{within} {best.lead.mean:+.4f}{share and f' ({share})'}, {corrected}."]


def _ties(report: Report, best: Entry, others: Sequence[Entry]) -> list[str]:
    """The other rows that no test tells from the best, with what they cost beside it."""
    tied = [each for each in others if each is not report.reference and report.within_noise(best, each)]
    named = ((each.name, _cost_beside(best, each)) for each in tied)
    listed = ", ".join(f"{name}{cost and f' ({cost})'}" for name, cost in named)
    return [f"Within noise of the best: {listed}."] if tied else []


def _score(entry: Entry) -> str:
    interval = entry.interval
    sure = "" if interval is None else f" (95 % interval {interval.low:z.4f} to {interval.high:z.4f})"
    return f"{entry.ndcg:.4f}{sure}"


def _duration(seconds: float) -> str:
    if seconds < 0.1:
        return "less than 0.1 s"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _cost_beside(one: Entry, other: Entry) -> str:
    """What `other` costs beside `one`: "at 1/60 of the cost"; "" where that is not known."""
    ours, theirs = one.costs.seconds, other.costs.seconds
    if not ours or not theirs:
        return ""
    ratio = ours / theirs
    if 1 / ALIKE <= ratio <= ALIKE:
        return "at about the same cost"
    if ratio < 1:
        return f"at {_rounded(1 / ratio)} times the cost"
    return f"at {1 / ratio:.0%} of the cost" if ratio < SMALL else f"at 1/{_rounded(ratio)} of the cost"


def _rounded(ratio: float) -> str:
    """Two digits say enough."""
    return f"{float(f'{ratio:.2g}'):,.10g}"
