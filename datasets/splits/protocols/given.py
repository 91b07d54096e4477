"""Protocol `given`: files that come split keep their parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.log import TEST, TRAIN, VALID, Log
from retrieval_leaderboard.datasets.splits import rows
from retrieval_leaderboard.datasets.splits.order import asked, by_user, distinct
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.protocols import published
from retrieval_leaderboard.datasets.splits.whole import Whole
from retrieval_leaderboard.support.errors import InputError

NAMES = {TRAIN: "train", VALID: "validation", TEST: "test"}


def split(log: Log, whole: Whole) -> Parts:
    """Each part is what the files say; a user's test rows are one query, and so are those of validation.

    Histories stand by time, or in the order of the files where there are no times. A query is asked at the
    time of the user's first row of that part, or with a target, of its first target event; other events of
    that part are left out. Without validation rows they are carved from the training
    rows, as by `published`.
    """
    if log.part is None:
        raise InputError(
            f"{log.name}: protocol 'given' needs files that come split; give --train and --test, or choose "
            "another protocol"
        )
    timed = log.timestamp is not None
    parts = _parts(log, timed) if whole.has_valid else published.carved(log, whole, timed)
    return replace(parts, counted=_overlaps(log) | parts.counted | _late_history(parts))


def _parts(log: Log, timed: bool) -> Parts:
    """All three parts, with validation rows."""
    assert log.part is not None
    order = by_user(log)
    part = log.part[order]
    train = order[part == TRAIN]
    both = distinct(log, order[part != TEST])
    pairs = distinct(log, train)
    learned = rows.interactions(log, pairs, train)
    full = rows.interactions(log, both, order[part != TEST])
    valid, test = (distinct(log, asked(log, order[part == each])) for each in (VALID, TEST))
    return Parts(
        learned,
        rows.queries_per_user(log, valid, learned.by_user, timed=timed),
        full,
        rows.queries_per_user(log, test, full.by_user, timed=timed),
        rows.repeats_note(log, len(train) - len(pairs)),
    )


def _overlaps(log: Log) -> dict[str, int]:
    """A note on each two parts that have pairs in common."""
    assert log.part is not None
    pair = log.user.astype(np.int64) * len(log.item_ids) + log.item
    pairs = {part: np.unique(pair[log.part == part]) for part in NAMES}
    counts = (
        (len(np.intersect1d(pairs[one], pairs[other], assume_unique=True)), one, other)
        for one, other in ((TRAIN, TEST), (TRAIN, VALID), (VALID, TEST))
    )
    return {
        f"{{:,}} pairs of user and item stand in {NAMES[one]} and in {NAMES[other]}": count
        for count, one, other in counts
        if count
    }


def _late_history(parts: Parts) -> dict[str, int]:
    """A note on queries that are asked before the last row of their history."""
    late = int(parts.test.early(parts.train_valid).sum())
    note = "{:,} test queries come before the last interaction of their history: it knows of later times"
    return {note: late} if late else {}


PROTOCOL = Protocol(
    "given",
    split,
    "the source's own validation rows",
    carved=published.PROTOCOL.validation,
    own_test=True,
)
