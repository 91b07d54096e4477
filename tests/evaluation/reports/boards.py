"""Boards of made-up rows and statistics, for tests of what pages say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.report import Report, report
from retrieval_leaderboard.evaluation.statistics.standing import BoardStatistics, Interval, Standing
from tests.evaluation import stored

DATASET = replace(stored.SUMMARY, title="mine", synthetic=False, notes=["3 [b]rows[/b] dropped"])


def row(model: str, ndcg: float = 0.5, settings: dict[str, Any] | None = None, **more: Any) -> Row:
    """A row with one run; `more` as `stored.record`, or `folder` and `shipped` of the row."""
    of_row = {key: more.pop(key) for key in ("folder", "shipped") if key in more}
    done = stored.record(model, ndcg=ndcg, **({"settings": settings or {}, "processor": "a"} | more))
    return Row(model, settings or {}, [done], [], **of_row)


def failed(model: str = "bad", reason: str = "ValueError: too | much\nfor me") -> Row:
    """A row whose run failed."""
    return Row(model, {}, [], [stored.record(model, reason=reason)])


def board(*rows: Row, **about: Any) -> Board:
    """With these rows; `about` are fields of its `DatasetSummary`."""
    return Board(replace(DATASET, **about), "f", 20, list(rows))


def statistics(of: Board, p: dict[tuple[str, str], float] | None = None) -> BoardStatistics:
    """Intervals of ± 0.01 and ranks by means; ItemCF's row is the reference.

    Args:
        of: the board.
        p: of pairs of models; others differ for certain.
    """
    known = {frozenset(pair): value for pair, value in (p or {}).items()}
    models = [each.model for each in of.rows]
    reference = models.index("item_cf") if "item_cf" in models else None
    values = np.array([[known.get(frozenset((one, other)), 0.001) for other in models] for one in models])
    order = sorted(range(len(models)), key=lambda at: -of.rows[at].mean("ndcg"))
    standings = [_standing(of, at, reference, values, order.index(at)) for at in range(len(models))]
    return BoardStatistics(reference, standings, values)


def _standing(of: Board, at: int, reference: int | None, values: np.ndarray, place: int) -> Standing | None:
    if not of.rows[at].done:
        return None
    mean = of.rows[at].mean("ndcg")
    lead, p = None, None
    if reference not in (None, at):
        lead, p = _around(mean - of.rows[reference].mean("ndcg")), float(values[at, reference])
    return Standing(str(place + 1), {"ndcg": _around(mean)}, lead, p)


def _around(mean: float) -> Interval:
    return Interval(mean, mean - 0.01, mean + 0.01)


def with_tests(*rows: Row, p: dict[tuple[str, str], float] | None = None, **about: Any) -> Report:
    """The report of a board with statistics."""
    of = board(*rows, **about)
    return report(of, statistics(of, p))


def without_tests(*rows: Row, **about: Any) -> Report:
    """The report of a board whose metrics of each query are not stored."""
    return report(board(*rows, **about))
