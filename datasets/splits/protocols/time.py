"""Protocol `time`: periods of one global timeline."""

from __future__ import annotations

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import rows
from retrieval_leaderboard.datasets.splits.order import asked, by_user, distinct
from retrieval_leaderboard.datasets.splits.periods import moments
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole


def split(log: Log, whole: Whole) -> Parts:
    """One query for each user of a period, with all that came before it as history.

    The moment of a query, and where it is asked, are those of the user's first interaction of the period.
    A validation query asks for items that are known when the validation period begins, as a test query does
    for those known before the test period. With a target, the interactions of a period that are no target
    events are left out: a query asks for the others, at the moment of the first.
    """
    assert whole.periods is not None and whole.known is not None
    valid_from, test_from = whole.periods
    moment = moments(log)
    order = by_user(log)
    before = order[moment[order] < test_from]
    pairs = distinct(log, before)
    learned = pairs[moment[pairs] < valid_from]
    train = rows.interactions(log, learned, before[moment[before] < valid_from])
    train_valid = rows.interactions(log, pairs, before)
    between = order[(moment[order] >= valid_from) & (moment[order] < test_from)]
    between = asked(log, between)
    valid = distinct(log, between[whole.known[log.item[between]]])
    test = distinct(log, asked(log, order[moment[order] >= test_from]))
    return Parts(
        train,
        rows.queries_per_user(log, valid, train.by_user, timed=True),
        train_valid,
        rows.queries_per_user(log, test, train_valid.by_user, timed=True),
        rows.repeats_note(log, len(before) - len(pairs)),
    )


PROTOCOL = Protocol(
    "time", split, "the period before the test period, one query a user", timeline=True, draws=False
)
