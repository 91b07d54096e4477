"""Who clicks which ad when in aliec-sim: sessions, favorite shelves, profile tastes and the day's hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.world import DAYS, Ads, Sizes, Users, taste_table

FIRST_SECOND = 1_494_000_000
"""2017-05-06 00:00:00 at UTC+8, in unix seconds."""
DAY_SECONDS = 86_400
FAVORITES = 3
FAVORITE_ODDS = (0.7, 0.2, 0.1)
FROM_FAVORITE, FROM_TASTE = 0.7, 0.18
"""Shares of clicks on a favorite shelf and on a category of the profile's taste; the rest is hits."""
REDRAWS = 3
KEPT_REPEATS = 0.1

PRICE_TASTE = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
"""Beta parameters of the place on a category's price scale, for spending level 1, 2, 3."""
HOUR_LOAD = np.array([3, 2, 1, 1, 1, 1, 2, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 10, 11, 10, 6], float)


@dataclass(frozen=True)
class Clicks:
    """All clicks, as indices of users and ads, sorted by user and then by session."""

    user: npt.NDArray[np.int64]
    ad: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    """int64[n]: unix seconds"""


def seconds_of_day(n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """int64[n]: seconds after midnight; quiet at night, busiest from 20 to 23 hours."""
    per_mille = np.cumsum(HOUR_LOAD) / HOUR_LOAD.sum() * 1000
    hour_of = np.searchsorted(per_mille, np.arange(1000), side="right")  # (1000,)
    return hour_of[rng.integers(0, 1000, n)] * 3600 + rng.integers(0, 3600, n)


def draw_clicks(ads: Ads, users: Users, sizes: Sizes, rng: np.random.Generator) -> Clicks:
    """`sizes.clicks` clicks by exactly `sizes.clicking_users` users."""
    clicker = rng.permutation(len(users.id))[: sizes.clicking_users]  # (clicking users,)
    appetite = np.exp(rng.normal(0, 1.1, len(clicker)))
    extra = rng.multinomial(sizes.clicks - len(clicker), appetite / appetite.sum())
    which = np.repeat(np.arange(len(clicker)), 1 + extra)  # (clicks,)
    day, second = _moments(which, rng)
    start, stop, place = _targets(ads, users, clicker, which, rng)
    ad = _draw_ads(ads, which, day, start, stop, place, rng)
    return Clicks(clicker[which], ad, FIRST_SECOND + day * DAY_SECONDS + second)


def _moments(
    which: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Day and second of each click; a third follow within minutes of the last, some in the same second."""
    n = len(which)
    begins = (np.diff(which, prepend=-1) != 0) | (rng.random(n) < 0.65)
    session = np.cumsum(begins) - 1  # (clicks,)
    n_sessions = session[-1] + 1
    gap = np.where(begins | (rng.random(n) < 0.1), 0, rng.integers(1, 300, n))
    elapsed = np.cumsum(gap)
    elapsed -= elapsed[begins][session]
    second = seconds_of_day(n_sessions, rng)[session] + elapsed
    return rng.integers(0, DAYS, n_sessions)[session], np.minimum(second, DAY_SECONDS - 1)


def _targets(
    ads: Ads,
    users: Users,
    clicker: npt.NDArray[np.int64],
    which: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The range of ads each click falls into (start, stop) and its place in it, 0 to 1."""
    table = taste_table(ads, rng)
    taste, spending = users.taste[clicker], users.spending[clicker]
    shelves = _favorites(ads, table, taste, spending, rng)  # (clicking users, FAVORITES)
    slot = rng.choice(FAVORITES, len(which), p=FAVORITE_ODDS)
    shelf = shelves[which, slot]  # (clicks,)
    category = _draw_categories(table, taste[which], rng)
    source = rng.random(len(which))
    cases = [source < FROM_FAVORITE, source < FROM_FAVORITE + FROM_TASTE]
    start = np.select(cases, [ads.shelf_starts[shelf], ads.category_starts[category]], 0)
    stop = np.select(cases, [ads.shelf_starts[shelf + 1], ads.category_starts[category + 1]], len(ads.id))
    dear = rng.beta(*PRICE_TASTE[spending[which] - 1].T)
    return start, stop, np.where(cases[1] & ~cases[0], dear, rng.random(len(which)))


def _favorites(
    ads: Ads,
    table: npt.NDArray[np.float64],
    taste: npt.NDArray[np.int64],
    spending: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """int64[users, FAVORITES]: shelves a user returns to, half of them in one category."""
    heaped = np.concatenate(([0.0], np.cumsum(np.sqrt(ads.weight[-1], dtype=np.float64))))
    shelves = np.empty((len(taste), FAVORITES), dtype=np.int64)
    main = _draw_categories(table, taste, rng)
    for slot in range(FAVORITES):
        again = rng.random(len(taste)) < 0.5
        category = np.where(again, main, _draw_categories(table, taste, rng)) if slot else main
        start, stop = ads.category_starts[category], ads.category_starts[category + 1]
        shelves[:, slot] = ads.shelf[_pick(heaped, start, stop, rng.beta(*PRICE_TASTE[spending - 1].T))]
    return shelves


def _draw_categories(
    table: npt.NDArray[np.float64], taste: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """int64[n]: a category for each taste, by `taste_table`."""
    n_categories = table.shape[1]
    found = np.searchsorted(table.ravel(), taste + rng.random(len(taste)), side="right")
    return np.minimum(found - taste * n_categories, n_categories - 1)


def _draw_ads(
    ads: Ads,
    which: npt.NDArray[np.int64],
    day: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    place: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """int64[clicks]: an ad in each range by the day's popularity; most repeats of a pair are redrawn."""
    ad = np.empty(len(which), dtype=np.int64)
    pending = np.arange(len(which))
    for _ in range(1 + REDRAWS):
        for today in range(DAYS):
            heaped = np.concatenate(([0.0], np.cumsum(ads.weight[today], dtype=np.float64)))
            rows = pending[day[pending] == today]
            none_yet = heaped[start[rows]] == heaped[stop[rows]]
            first, last = np.where(none_yet, 0, start[rows]), np.where(none_yet, len(ads.id), stop[rows])
            ad[rows] = _pick(heaped, first, last, place[rows])
        pending = _repeats(which, ad, len(ads.id))
        pending = pending[rng.random(len(pending)) >= KEPT_REPEATS]
        place[pending] = rng.random(len(pending))
    return ad


def _pick(
    heaped: npt.NDArray[np.float64],
    start: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    place: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """int64[n]: the ad at `place` (0 to 1) of the summed weights of ads start to stop."""
    low, high = heaped[start], heaped[stop]
    return np.clip(np.searchsorted(heaped, low + place * (high - low), side="right") - 1, start, stop - 1)


def _repeats(which: npt.NDArray[np.int64], ad: npt.NDArray[np.int64], n_ads: int) -> npt.NDArray[np.int64]:
    """Rows whose (user, ad) stood in an earlier row."""
    first = np.unique(which * n_ads + ad, return_index=True)[1]
    return np.setdiff1d(np.arange(len(which)), first, assume_unique=True)
