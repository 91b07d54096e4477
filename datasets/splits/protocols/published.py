"""Protocol `published`: the source's own test file."""

from __future__ import annotations

from retrieval_leaderboard.datasets.log import TEST, Log
from retrieval_leaderboard.datasets.splits import holdout, rows
from retrieval_leaderboard.datasets.splits.order import by_user
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole
from retrieval_leaderboard.support.errors import InputError

VALID_PERCENT = 20


def split(log: Log, whole: Whole) -> Parts:
    """The source's own test rows; validation is a fifth of each user's others, carved as `log.carve` says.

    They are drawn one by one; by `AS_TEST` they are one contiguous block where the source's test rows are
    contiguous more often than a draw would have them: validation then depends on what is test.
    """
    if log.part is None:
        raise InputError(
            f"{log.name}: protocol 'published' needs the source's own test file, and there is none; "
            "choose another protocol"
        )
    return carved(log, whole, timed=False)


def carved(log: Log, whole: Whole, timed: bool) -> Parts:
    """The parts of a log that has test rows; whether queries are asked at the time of their first row."""
    assert log.part is not None
    order = by_user(log)
    test = log.part[order] == TEST
    as_test = log.carve == holdout.AS_TEST
    if as_test and log.by_user:
        raise InputError(
            f"{log.name}: --carve {holdout.AS_TEST} looks at all users together, which a limit of memory "
            f"does not allow; give --carve {holdout.DRAW}, or leave --memory out"
        )
    block = as_test and holdout.is_contiguous(log.user[order], log.item[order], test)
    carve = holdout.BLOCK if block else holdout.DRAW
    return rows.static_parts(
        log, order[~test], order[test], carve=carve, percent=VALID_PERCENT, rng=whole.draws, timed=timed
    )


PROTOCOL = Protocol("published", split, "a fifth of each user's rows that are not test", own_test=True)
