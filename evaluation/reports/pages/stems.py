"""What the files of a dataset's boards are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval_leaderboard.datasets.dataset import POLICIES, TIES_IN_WORDS
from retrieval_leaderboard.datasets.splits.holdout import IN_WORDS
from retrieval_leaderboard.evaluation.reports.board import Board

ONLY = "leaderboard"
"""Of a dataset with one board, or of the list of several"""


def stems(boards: Sequence[Board]) -> list[str]:
    """A name without a suffix for each board of a dataset: of the facts in which several of them differ, or
    its protocol where the others have more to say.

    Boards on data that has changed differ in their fingerprints alone.
    """
    if len(boards) == 1:
        return [ONLY]
    facts = [_facts(board) for board in boards]
    differing = [at for at, values in enumerate(zip(*facts, strict=True)) if len(set(values)) > 1]
    found = [_slug(" ".join(each[at] for at in differing)) for each in facts]
    if differing:
        found = [stem or _slug(each[0]) for stem, each in zip(found, facts, strict=True)]
    return [
        f"{stem}-{board.fingerprint}".strip("-") if found.count(stem) > 1 or stem == ONLY else stem
        for stem, board in zip(found, boards, strict=True)
    ]


def may_be_of(heading: str, fingerprint: str, stem: str) -> bool:
    """Whether a board's page has, or once had, the name `stem`: a copy that somebody made has another one."""
    words = stem.removesuffix(fingerprint).split("-")
    return stem == ONLY or set(words) <= {"", *_slug(heading).split("-")}


def _facts(board: Board) -> tuple[str, ...]:
    about = board.dataset
    what = about.title.removeprefix(about.name).replace("synthetic", "")
    ties, carved = TIES_IN_WORDS.get(about.ties, ""), IN_WORDS.get(about.unusual_carve, "")
    return about.protocol, ties, POLICIES[about.exclude_seen], carved, what, f"top {board.k}"


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text.lower()).strip("-.")
