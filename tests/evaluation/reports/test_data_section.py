"""The section of a board on its data."""

from __future__ import annotations

from dataclasses import replace

from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.pages.data_section import data_section
from tests.evaluation import stored

PROFILE = Profile(
    rows=10,
    kept=8,
    dropped={"without a user": 2},
    repeated=1,
    users=3,
    items=4,
    candidates="every item with an interaction",
    learned=3,
    density=7 / 12,
    columns={"user": "uid", "item": "sku"},
    left_out=["price"],
    times="",
    first="",
    last="",
    tied=0.0,
    protocol="random",
    chosen="for there are no times",
    begin=[],
    warnings=[],
)

VALIDATION = "- validation: a tenth of each user's rows that are not test, drawn one by one"


def board(*profiles: Profile | None) -> Board:
    about = replace(stored.SUMMARY, protocol="random", carve="draw", notes=[])
    records = [
        replace(stored.record(), date=f"2026-01-0{day} 00:00 UTC", dataset=replace(about, profile=profile))
        for day, profile in enumerate(profiles, start=1)
    ]
    return Board(about, "abc", 20, [Row("m", {}, records, [])])


def test_the_newest_profile_is_shown():
    heading, blank, counts, *lines = data_section(board(replace(PROFILE, rows=9), PROFILE, None)).splitlines()
    assert (heading, blank) == ("## Data", "") and counts.startswith("- 48 users; 32 items")
    assert lines == [*(f"- {line}" for line in PROFILE.lines()), VALIDATION]
    assert "10 rows read, 8 kept (left out: 2 without a user)" in lines[0]


def test_older_records_have_none():
    assert data_section(board(None)).splitlines()[3:] == [VALIDATION]
