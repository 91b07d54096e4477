"""Filters against slow references, and in chunks as small as they come."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from retrieval_leaderboard.datasets import filters
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.datasets.log import Filtered, Log, Reading
from retrieval_leaderboard.support.errors import InputError

N_USERS, N_ITEMS = 30, 25


def log(rows: int = 500, seed: int = 0, **more) -> Log:
    rng = np.random.default_rng(seed)
    return Log(
        name="made",
        user=(N_USERS * rng.random(rows) ** 3).astype(np.int32),
        item=(N_ITEMS * rng.random(rows) ** 3).astype(np.int32),
        user_ids=np.array([f"u{code}" for code in range(N_USERS)], dtype=object),
        item_ids=np.array([f"i{code}" for code in range(N_ITEMS)], dtype=object),
        timestamp=rng.integers(0, 3000, rows),
        event=rng.integers(0, 2, rows).astype(np.uint8),
        user_features=Features(
            {"u": Categorical(np.arange(N_USERS, dtype=np.int32), list(map(str, range(N_USERS))))}
        ),
        reading=Reading(rows, {}, events=("view", "buy")),
        **more,
    )


def rows_of(found: Log) -> list[tuple[str, str, int, int]]:
    assert found.timestamp is not None and found.event is not None
    return list(
        zip(
            found.user_ids[found.user],
            found.item_ids[found.item],
            found.timestamp.tolist(),
            found.event.tolist(),
            strict=True,
        )
    )


@pytest.fixture(params=[7, 2**22], ids=["small chunks", "one chunk"], autouse=True)
def chunk(request, monkeypatch):
    monkeypatch.setattr(filters, "CHUNK", request.param)


@pytest.mark.parametrize("k", [3, 5, 6])
def test_a_core_is_what_is_left_when_taking_away_changes_nothing(k: int):
    whole = log()
    rows = rows_of(whole)
    while True:
        pairs = {(user, item) for user, item, *_ in rows}
        users, items = (Counter(pair[side] for pair in pairs) for side in (0, 1))
        left = [row for row in rows if users[row[0]] >= k and items[row[1]] >= k]
        if len(left) == len(rows):
            break
        rows = left
    assert 0 < len(rows) < len(whole.user)
    core = filters.k_core(whole, k, f"{k}-core")
    assert rows_of(core) == rows
    assert set(core.user_ids) == {row[0] for row in rows}
    assert set(core.item_ids) == {row[1] for row in rows}
    lost = N_USERS - len(core.user_ids), N_ITEMS - len(core.item_ids)
    assert core.filtered == (Filtered(f"{k}-core", len(whole.user) - len(rows), *lost),)
    column = core.user_features["u"]
    assert [f"u{column.vocabulary[code]}" for code in column.codes] == core.user_ids.tolist()


def test_repeats_of_a_pair_make_no_core():
    whole = log(3)
    again = filters.replace(whole, user=np.zeros(3, np.int32), item=np.zeros(3, np.int32))
    with pytest.raises(InputError, match="made: there is no 2-core: fewer and fewer remain"):
        filters.k_core(again, 2, "2-core")


def test_a_core_takes_listed_items_out_and_a_window_does_not():
    whole = log(listed=np.ones(N_ITEMS, dtype=np.bool_))
    assert len(filters.window(whole, 2990, None, "since 2990").item_ids) == N_ITEMS
    core = filters.k_core(whole, 6, "6-core")
    assert len(core.item_ids) == len(core.listed) == len(set(core.item)) < N_ITEMS


@pytest.mark.parametrize("least", [1, 10, 30])
def test_minimum_history_counts_interactions(least: int):
    whole = log()
    counts = Counter(row[0] for row in rows_of(whole))
    assert rows_of(filters.min_history(whole, least, "")) == [
        row for row in rows_of(whole) if counts[row[0]] >= least
    ]


def test_a_window_holds_its_first_moment_and_not_its_last():
    whole = log()
    found = filters.window(whole, 500, 2000, "w")
    assert rows_of(found) == [row for row in rows_of(whole) if 500 <= row[2] < 2000]
    exact = filters.window(whole, int(whole.timestamp[0]), int(whole.timestamp[0]) + 1, "w")
    assert whole.timestamp[0] in exact.timestamp
    with pytest.raises(InputError, match="made, since 9000: no interaction is in that window"):
        filters.window(whole, 9000, None, "since 9000")


@pytest.mark.parametrize("seconds", [100.0, 900.0])
@pytest.mark.parametrize("fractions", [False, True])
def test_repeats_so_soon_after_one_that_stays_go(seconds: float, fractions: bool):
    rng = np.random.default_rng(1)
    parts = rng.choice([0, 500_000_000], 500).astype(np.int32) if fractions else None
    whole = log(nanoseconds=parts)
    last: dict[tuple, float] = {}
    stays = np.zeros(len(whole.user), dtype=np.bool_)
    when = whole.timestamp + (0 if parts is None else parts / 1e9)
    for at in np.argsort(when, kind="stable"):
        key = whole.user[at], whole.item[at], whole.event[at]
        if key not in last or when[at] - last[key] > seconds:
            last[key], stays[at] = when[at], True
    assert 0 < (~stays).sum() < len(stays)
    assert rows_of(filters.without_repeats(whole, seconds, "")) == rows_of(whole.with_interactions(stays))


def test_a_window_and_repeats_need_times():
    whole = filters.replace(log(), timestamp=None)
    for call in (
        lambda: filters.window(whole, 1, None, "since 1"),
        lambda: filters.without_repeats(whole, 1, "since 1"),
    ):
        with pytest.raises(InputError, match="made, since 1: that needs times, and there are none"):
            call()
