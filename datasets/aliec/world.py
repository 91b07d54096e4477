"""The invented population behind aliec-sim: ads on shelves, users with tastes.

A shelf is a handful of ads of one category, one brand and one price class. Ads are sorted by category,
by the price of their shelf within the category, and by shelf, so that "all ads", "a category", "the dear
end of a category" and "a shelf" are contiguous ranges, and a draw from any of them is one lookup in one
cumulative sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.published import COUNTS, FILES
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.support.errors import InputError

DAYS = 8
ADS_PER_SHELF = 12
ADS_PER_CATEGORY = 140
GENDERS, AGES, SHOPPING, MICRO_GROUPS = 2, 7, 3, 8
TASTE_DIMENSIONS = 8
LARGEST_PRICE = 1e8
DUDS = 0.63
"""Share of ads that hardly anybody clicks."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is at a scale; the numbers at scale 1.0 are the published ones."""

    impressions: int
    clicks: int
    users: int
    ads: int
    profiles: int
    clicking_users: int

    @classmethod
    def of(cls, scale: float) -> Sizes:
        """Raises InputError where `scale` is outside [0.001, 1]."""
        if not 0.001 <= scale <= 1:
            raise InputError(f"scale {scale} of the aliec-sim generator: give a number from 0.001 to 1")
        full = {
            "impressions": COUNTS["impressions"],
            "clicks": COUNTS["clicks"],
            "users": 1_141_729,
            "ads": COUNTS["ads"],
            "profiles": FILES["user_profile.csv"][1],
            "clicking_users": COUNTS["clicking users"],
        }
        return cls(**{what: round(scale * number) for what, number in full.items()})


@dataclass(frozen=True)
class Ads:
    """All ads, sorted by category, price of the shelf, shelf."""

    id: npt.NDArray[np.int64]
    """int64[n]: raw ids, sparse"""
    category: npt.NDArray[np.int64]
    """int64[n]: index of the category, ascending"""
    shelf: npt.NDArray[np.int64]
    """int64[n]: index of the shelf, ascending"""
    campaign: npt.NDArray[np.int64]
    customer: npt.NDArray[np.int64]
    brand: npt.NDArray[np.int64]
    """int64[n]: raw ids; 0 for "NULL" """
    price: npt.NDArray[np.float64]
    """float64[n], yuan"""
    birth: npt.NDArray[np.int8]
    """int8[n]: first day with impressions"""
    weight: npt.NDArray[np.float32]
    """float32[DAYS, n]: popularity on each day, 0 before birth"""
    category_starts: npt.NDArray[np.int64]
    """int64[categories + 1]: where each category begins"""
    shelf_starts: npt.NDArray[np.int64]
    """int64[shelves + 1]: where each shelf begins"""


@dataclass(frozen=True)
class Users:
    """All users with their true profile, whether or not the file will show it."""

    id: npt.NDArray[np.int64]
    """int64[n]: raw ids, sparse"""
    gender: npt.NDArray[np.int64]
    """1 or 2"""
    age: npt.NDArray[np.int64]
    """0 to 6"""
    shopping: npt.NDArray[np.int64]
    """1 to 3"""
    occupation: npt.NDArray[np.int64]
    """0 or 1"""
    city: npt.NDArray[np.int64]
    """1 to 4"""
    spending: npt.NDArray[np.int64]
    """1 to 3: pvalue_level"""
    micro: npt.NDArray[np.int64]
    """0 to MICRO_GROUPS - 1: finer taste within gender and age"""

    @property
    def taste(self) -> npt.NDArray[np.int64]:
        """int64[n]: row of `taste_table`."""
        return (
            ((self.gender - 1) * AGES + self.age) * SHOPPING * MICRO_GROUPS
            + (self.shopping - 1) * MICRO_GROUPS
            + self.micro
        )


def sparse_ids(n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """int64[n]: different numbers from 1 to 3n, in random order, so that an id tells nothing."""
    return rng.permutation(3 * n)[:n].astype(np.int64) + 1


def make_ads(n: int, rng: np.random.Generator) -> Ads:
    """`n` ads on shelves of about 12, with long-tailed popularity that drifts from day to day."""
    n_shelves, n_categories = max(n // ADS_PER_SHELF, 1), max(n // ADS_PER_CATEGORY, 1)
    shelf_category = _long_tailed(n_shelves, n_categories, 1.0, rng)
    shelf_price = rng.normal(4.0, 1.0, n_categories)[shelf_category] + rng.normal(0, 0.8, n_shelves)
    order = np.lexsort((shelf_price, shelf_category))
    shelf_category, shelf_price = shelf_category[order], shelf_price[order]  # (shelves,)
    shelf = np.sort(_long_tailed(n, n_shelves, 0.8, rng))  # (ads,)
    category = shelf_category[shelf]
    birth = np.maximum(rng.integers(-20, DAYS, n), 0).astype(np.int8)
    campaign_begins = (np.diff(shelf, prepend=-1) != 0) | (rng.random(n) < 0.4)
    customer_begins = (np.diff(shelf, prepend=-1) != 0) | (campaign_begins & (rng.random(n) < 0.4))
    return Ads(
        id=sparse_ids(n, rng),
        category=category,
        shelf=shelf,
        campaign=sparse_ids(n, rng)[np.cumsum(campaign_begins) - 1],
        customer=sparse_ids(n, rng)[np.cumsum(customer_begins) - 1],
        brand=_brands(n_shelves, rng)[shelf],
        price=_prices(shelf_price[shelf], rng),
        birth=birth,
        weight=_popularity(shelf, n_shelves, birth, rng),
        category_starts=offsets_of(np.bincount(category, minlength=n_categories)),
        shelf_starts=offsets_of(np.bincount(shelf, minlength=n_shelves)),
    )


def make_users(n: int, rng: np.random.Generator) -> Users:
    """`n` users; spending power rises with the size of the city, students are young."""
    age = rng.choice(AGES, n, p=[0.01, 0.07, 0.2, 0.29, 0.24, 0.16, 0.03])
    city = rng.choice([1, 2, 3, 4], n, p=[0.12, 0.42, 0.23, 0.23])
    return Users(
        id=sparse_ids(n, rng),
        gender=rng.choice([1, 2], n, p=[0.36, 0.64]),
        age=age,
        shopping=rng.choice([1, 2, 3], n, p=[0.08, 0.12, 0.8]),
        occupation=((age <= 2) & (rng.random(n) < 0.2)).astype(np.int64),
        city=city,
        spending=1 + np.digitize(rng.normal(0, 1, n) - 0.4 * (city - 2.5), [-0.5, 1.0]),
        micro=rng.integers(0, MICRO_GROUPS, n),
    )


def taste_table(ads: Ads, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """float64[tastes, categories]: cumulative probabilities of the categories under every taste.

    Row t rises from t to t + 1, so that one lookup of t + uniform in the flat table draws for taste t.
    The log-probability of a category is its log size plus the inner product of its latent vector with
    the sum of the profile values' vectors.
    """
    sizes = np.diff(ads.category_starts)  # (categories,)
    latent = rng.normal(0, 1, (len(sizes), TASTE_DIMENSIONS))

    def vectors(*shape: int) -> npt.NDArray[np.float64]:
        return rng.normal(0, 0.45, (*shape, TASTE_DIMENSIONS))

    profile = (
        vectors(GENDERS, 1, 1, 1)
        + vectors(1, AGES, 1, 1)
        + vectors(1, 1, SHOPPING, 1)
        + vectors(GENDERS, AGES, 1, MICRO_GROUPS)
    ).reshape(-1, TASTE_DIMENSIONS)  # (tastes, TASTE_DIMENSIONS)
    odds = sizes * np.exp(profile @ latent.T)  # (tastes, categories)
    shares = np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True)
    shares[:, -1] = 1.0
    return shares + np.arange(len(shares))[:, None]


def _long_tailed(n: int, groups: int, sigma: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """int64[n]: a group for each of n members; group sizes are log-normal."""
    size = np.exp(rng.normal(0, sigma, groups))
    return rng.choice(groups, n, p=size / size.sum())


def _brands(n_shelves: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """int64[shelves]: a brand owns one or a few shelves; 3 shelves in 10 have none (0)."""
    names = sparse_ids(n_shelves, rng)
    brand = names[rng.integers(0, max(n_shelves // 2, 1), n_shelves)]
    return np.where(rng.random(n_shelves) < 0.3, 0, brand)


def _prices(log_price: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """float64[ads]: yuan and cents around the shelf's price; a few are absurd, up to LARGEST_PRICE."""
    price = np.exp(log_price + rng.normal(0, 0.3, len(log_price)))
    absurd = rng.permutation(len(price))[: max(len(price) // 5000, 2)]
    price[absurd] = 10 ** rng.uniform(5, 8, len(absurd))
    price[absurd[0]] = LARGEST_PRICE
    return np.round(np.clip(price, 0.01, LARGEST_PRICE), 2)


def _popularity(
    shelf: npt.NDArray[np.int64], n_shelves: int, birth: npt.NDArray[np.int8], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """float32[DAYS, ads]: log-normal, with a daily random walk and a steady trend for one ad in 20.

    Most ads are duds: without them a tail long enough to leave 72 % of the ads without a click would give a
    few ads most of the clicks.
    """
    n = len(shelf)
    trend = np.where(rng.random(n) < 0.05, rng.normal(0, 0.25, n), 0)
    log_weight = rng.normal(0, 0.9, n_shelves)[shelf] + rng.normal(0, 0.9, n)
    log_weight -= np.where(rng.random(n) < DUDS, 4.0, 0)
    weight = np.zeros((DAYS, n), dtype=np.float32)
    for day in range(DAYS):
        log_weight += trend + rng.normal(0, 0.1, n)
        weight[day] = np.where(birth <= day, np.exp(log_weight), 0)
    return weight
