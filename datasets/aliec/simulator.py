"""The embedded data: raw files in the official AliEC schema, invented from a seed.

Matched at scale 1.0 to published figures of Ali_Display_Ad_Click: 26,557,961 impressions of 846,811 ads
(every ad of ad_feature occurs) to 1,141,729 users (every user occurs) over 2017-05-06 to 05-13, UTC+8;
1,366,056 click rows (5.144 %) by 491,647 users on about 240,130 ads, so 2.78 clicks a clicking user and
5.7 a clicked ad; 1,061,768 profiles (7 % of users have none), pvalue_level 54 % and
new_user_class_level 32 % empty; the headers and their trailing space, the two pid values, the value
ranges of every level, "NULL" brands, prices up to 1e8, several rows of one user in one second. Smaller
scales keep every ratio.

Invented: everything else. Ads stand on shelves (category, brand, price class) of about 12; popularity is
log-normal, walks from day to day, trends for one ad in 20; 63 % of ads are duds that hardly anybody
clicks; 3.6 % of ads are born on each day but the first. A user has three favorite shelves, drawn from
categories that suit the profile (gender, age, shopping level, micro-group) at a price that suits
pvalue_level; 70 % of the clicks fall on one of them, 18 % on another such category, 12 % on what is
popular that day. The shape of every tail, the shares of repeated clicks (6 %), same-second clicks (2 %)
and "NULL" brands (30 %), and all ids are invented too. Impressions without a click go to users at random.
Scores on this data say nothing about scores on the real data.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.clicks import (
    DAY_SECONDS,
    FIRST_SECOND,
    Clicks,
    draw_clicks,
    seconds_of_day,
)
from retrieval_leaderboard.datasets.aliec.world import DAYS, Ads, Sizes, Users, make_ads, make_users
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums
from retrieval_leaderboard.support.storage.files import atomic_folder, write_json

if TYPE_CHECKING:
    import pyarrow as pa

MARKER = "GENERATED.json"
"""File beside generated raw files; whoever reads them finds it and calls them synthetic."""
FORMAT = 1
"""Version of what the generator writes; raised whenever the same seed and scale give other bytes."""
DEFAULT_SCALE = 0.02
ROWS_PER_BLOCK = 500_000
PIDS = ("430548_1007", "430539_1007")


def generate(folder: Path, scale: float = DEFAULT_SCALE, seed: int = 0) -> None:
    """Write the three official files, their marker and their sums into `folder`, all or nothing.

    Args:
        folder: Created, or replaced as a whole.
        scale: 1.0 gives the published counts; from 0.001 to 1.
        seed: The same seed and scale give the same bytes on the same machine.

    Raises:
        InputError: The scale is out of range, or `folder` cannot be written or holds something else.
    """
    sizes = Sizes.of(scale)
    _check_replaceable(folder)
    rng = np.random.default_rng(seed)
    progress.say(f"aliec-sim: inventing {sizes.users:,} users, {sizes.ads:,} ads, {sizes.clicks:,} clicks")
    ads, users = make_ads(sizes.ads, rng), make_users(sizes.users, rng)
    clicks = draw_clicks(ads, users, sizes, rng)
    with atomic_folder(folder) as scratch:
        _write(scratch / "ad_feature.csv", [_ad_rows(ads)])
        _write(scratch / "user_profile.csv", [_profile_rows(users, sizes.profiles, rng)])
        _write(scratch / "raw_sample.csv", _sample_blocks(ads, users, clicks, sizes, rng))
        write_json(scratch / MARKER, _marker(scale, seed, sizes, clicks))
        checksums.write(scratch)


def _check_replaceable(folder: Path) -> None:
    """The folder is replaced as a whole, so it must hold nothing but what an earlier call wrote."""
    if folder.exists() and not (
        folder.is_dir() and ((folder / MARKER).exists() or not any(folder.iterdir()))
    ):
        raise InputError(f"{folder} exists and was not written by the generator: name a new or empty folder")


def _marker(scale: float, seed: int, sizes: Sizes, clicks: Clicks) -> dict:
    counts = {
        "impressions": sizes.impressions,
        "clicks": sizes.clicks,
        "users": sizes.users,
        "ads": sizes.ads,
        "profiles": sizes.profiles,
        "clicking_users": sizes.clicking_users,
        "clicked_ads": len(np.unique(clicks.ad)),
    }
    return {"generator": "aliec-sim", "format": FORMAT, "scale": scale, "seed": seed, "counts": counts}


def _write(path: Path, blocks: list[pa.Table] | Iterator[pa.Table]) -> None:
    """Tables of one schema as one CSV file with a plain, unquoted header."""
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        writer = None
        for block in blocks:
            if writer is None:
                file.write((",".join(block.column_names) + "\n").encode())
                writer = csv.CSVWriter(file, block.schema, write_options=options)
            writer.write_table(block)
        if writer is not None:
            writer.close()


def _ad_rows(ads: Ads) -> pa.Table:
    import pyarrow as pa

    order = np.argsort(ads.id)
    brand = ads.brand[order].astype(str).astype(object)
    brand[ads.brand[order] == 0] = "NULL"
    columns = {
        "adgroup_id": ads.id,
        "cate_id": ads.category + 1,
        "campaign_id": ads.campaign,
        "customer": ads.customer,
    }
    table = {name: column[order] for name, column in columns.items()}
    return pa.table({**table, "brand": pa.array(brand, pa.string()), "price": ads.price[order]})


def _profile_rows(users: Users, n: int, rng: np.random.Generator) -> pa.Table:
    """`n` users' profiles; gender and age group make cms_group_id, with the micro-group cms_segid."""
    import pyarrow as pa

    shown = rng.permutation(len(users.id))[:n]
    shown = shown[np.argsort(users.id[shown])]
    group = np.where(users.age == 0, 0, (users.gender - 1) * 6 + users.age)[shown]  # (n,), 0 to 12
    segment = np.where(group == 0, 0, (group - 1) * 8 + users.micro[shown] + 1)  # (n,), 0 to 96
    columns = {
        "userid": users.id[shown],
        "cms_segid": np.where(rng.random(n) < 0.3, 0, segment),
        "cms_group_id": group,
        "final_gender_code": users.gender[shown],
        "age_level": users.age[shown],
        "pvalue_level": pa.array(users.spending[shown], mask=rng.random(n) < 0.54),
        "shopping_level": users.shopping[shown],
        "occupation": users.occupation[shown],
        "new_user_class_level ": pa.array(users.city[shown], mask=rng.random(n) < 0.32),
    }
    return pa.table(columns)


def _sample_blocks(
    ads: Ads, users: Users, clicks: Clicks, sizes: Sizes, rng: np.random.Generator
) -> Iterator[pa.Table]:
    """Impressions in the order of ad ids, clicks among them, a block of ads at a time."""
    order = np.argsort(ads.id)  # (ads,)
    clicks_by_ad, click_ends = _clicks_in_order(clicks, order)
    passed_over = _passed_over(ads, sizes, rng)[order]  # (ads,), impressions without a click
    passed_ends = offsets_of(passed_over)
    audience = _audience(sizes, rng)  # (impressions without a click,)
    ends = click_ends + passed_ends
    edges = np.unique(
        np.searchsorted(ends, [*range(0, sizes.impressions, ROWS_PER_BLOCK), sizes.impressions])
    )
    with progress.bar("aliec-sim: writing raw_sample.csv", sizes.impressions, "rows") as advance:
        for low, high in itertools.pairwise(edges):
            clicked = clicks_by_ad[click_ends[low] : click_ends[high]]
            shown_to = audience[passed_ends[low] : passed_ends[high]]
            shown = np.repeat(order[low:high], passed_over[low:high])
            second = _impression_seconds(ads.birth[shown], rng)
            user = np.concatenate((clicks.user[clicked], shown_to))
            ad = np.concatenate((clicks.ad[clicked], shown))
            second = np.concatenate((clicks.second[clicked], second))
            yield _sample_rows(users.id[user], second, ads.id[ad], len(clicked), rng)
            advance(len(user))


def _clicks_in_order(
    clicks: Clicks, order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Click rows sorted by the place of their ad in `order`, and where each ad's begin: int64[ads + 1]."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    place_of_click = place[clicks.ad]
    return np.argsort(place_of_click, kind="stable"), offsets_of(
        np.bincount(place_of_click, minlength=len(order))
    )


def _passed_over(ads: Ads, sizes: Sizes, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """int64[ads]: impressions without a click, at least one an ad, more for popular ads."""
    demand = ads.weight.sum(axis=0, dtype=np.float64) ** 0.8 * np.exp(rng.normal(0, 0.5, sizes.ads))
    left = sizes.impressions - sizes.clicks - sizes.ads
    return 1 + rng.multinomial(left, demand / demand.sum())


def _audience(sizes: Sizes, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """int32[impressions without a click]: who saw them, in random order, every user at least once."""
    presence = rng.gamma(0.7, size=sizes.users)
    left = sizes.impressions - sizes.clicks - sizes.users
    times = 1 + rng.multinomial(left, presence / presence.sum())
    audience = np.repeat(np.arange(sizes.users, dtype=np.int32), times)
    rng.shuffle(audience)
    return audience


def _impression_seconds(birth: npt.NDArray[np.int8], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    day = birth + (rng.random(len(birth)) * (DAYS - birth)).astype(np.int64)
    return FIRST_SECOND + day * DAY_SECONDS + seconds_of_day(len(birth), rng)


def _sample_rows(
    user: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    ad: npt.NDArray[np.int64],
    n_clicks: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Rows of raw_sample sorted by ad; the first `n_clicks` given are the clicks."""
    import pyarrow as pa

    order = np.lexsort((rng.random(len(ad)), ad))
    clicked = (order < n_clicks).astype(np.int8)
    pid = pa.DictionaryArray.from_arrays((rng.random(len(ad)) < 0.38).astype(np.int8), list(PIDS))
    columns = {
        "user": user[order],
        "time_stamp": second[order],
        "adgroup_id": ad[order],
        "pid": pid.cast(pa.string()),
        "nonclk": 1 - clicked,
        "clk": clicked,
    }
    return pa.table(columns)
