"""Protocol `time`: periods of one global timeline."""

from __future__ import annotations

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import rows
from retrieval_leaderboard.datasets.splits.candidates import known_at
from retrieval_leaderboard.datasets.splits.periods import moments, periods
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol


def split(log: Log, seed: int) -> Parts:
    """One query for each user of a period, with all that came before it as history.

    The moment of a query, and where it is asked, are those of the user's first interaction of the period.
    A validation query asks for items that are known when the validation period begins, as a test query does
    for those known before the test period. With a target, the interactions of a period that are no target
    events are left out: a query asks for the others, at the moment of the first.
    """
    valid_from, test_from = periods(log)
    moment = moments(log)
    order = rows.by_user(log)
    before = order[moment[order] < test_from]
    distinct = rows.distinct(log, before)
    learned = distinct[moment[distinct] < valid_from]
    train = rows.interactions(log, learned, before[moment[before] < valid_from])
    train_valid = rows.interactions(log, distinct, before)
    between = order[(moment[order] >= valid_from) & (moment[order] < test_from)]
    between = rows.asked(log, between)
    valid = rows.distinct(log, between[known_at(log, valid_from)[log.item[between]]])
    test = rows.distinct(log, rows.asked(log, order[moment[order] >= test_from]))
    return Parts(
        train,
        rows.queries_per_user(log, valid, train.by_user, timed=True),
        train_valid,
        rows.queries_per_user(log, test, train_valid.by_user, timed=True),
        rows.repeats_note(log, len(before) - len(distinct)),
    )


PROTOCOL = Protocol("time", split, "the period before the test period, one query a user", timeline=True)
