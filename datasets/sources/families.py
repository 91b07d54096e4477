"""Entries of the registry for datasets that come in several sizes or parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.sources import amazon, kuairand, kuairec, mind, raw, s3rec
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.source import Source

IN_TIME = ("time", "next-item", "cold-items", "leave-last-one")
"""The protocols of a log with exact times"""


def kuairec_of(
    name: str, protocols: tuple[str, ...], read: Callable[[Path], ChunkedLog], *more: str
) -> Source:
    """A dataset of KuaiRec's files, which need `more` than those of all."""
    return Source(
        name,
        protocols,
        raw.holds(kuairec.BIG, kuairec.CATEGORIES, *more),
        read,
        Download(
            {},
            (),
            "get KuaiRec.zip from https://zenodo.org/records/18164998, and unpack it, or leave it packed, in "
            "<data-dir>/kuairec",
        ),
        folder="kuairec",
        absent="manual download",
        license="CC BY-SA 4.0",
    )


def kuairand_of(size: str, archive: str, digest: str) -> tuple[Source, Source]:
    """The two datasets of a size of KuaiRand."""
    name = f"kuairand-{size}"
    during = Source(
        name,
        IN_TIME,
        kuairand.holds(size, kuairand.BEFORE, kuairand.DURING),
        partial(kuairand.load, size=size),
        Download(
            {archive: digest},
            (),
            f"get {archive} from https://zenodo.org/records/10439422, and unpack it in <data-dir>/{name}",
        ),
        absent="manual download",
        license="CC BY-SA 4.0",
    )
    unbiased = replace(
        during,
        name=f"{name}-unbiased",
        protocols=("published",),
        holds=kuairand.holds(size, kuairand.BEFORE, kuairand.RANDOM),
        read=partial(kuairand.load_unbiased, size=size),
    )
    return during, unbiased


def mind_of(size: str, train: str, dev: str) -> Source:
    """A size of MIND; `train` and `dev` are the digests of its archives."""
    archives = {f"MIND{size}_train.zip": train, f"MIND{size}_dev.zip": dev}
    return Source(
        f"mind-{size}",
        ("published", "time"),
        partial(mind.holds, size=size),
        partial(mind.load, size=size),
        Download(
            archives,
            ("https://recodatasets.z20.web.core.windows.net/newsrec/{file}",),
            f"get {' and '.join(archives)} from https://msnews.github.io, and put them into "
            f"<data-dir>/mind-{size}",
            unpack=False,
        ),
        license="Microsoft Research License Terms: research, not commercial",
    )


def amazon_of(year: int, files: str, where: str, *more: str) -> Source:
    """Amazon's reviews of a year: `files`, of one category each, where they are, and `more` protocols."""
    return Source(
        f"amazon-{year}",
        (*IN_TIME, *more),
        amazon.holds,
        partial(amazon.load, year=year),
        Download({}, (), f"get {files} of a category from {where}, and put it into <data-dir>/amazon-{year}"),
        absent="manual download",
        counts=amazon.PUBLISHED,
    )


def tianchi(
    name: str, number: int, archive: str, holds: Callable[[Path], bool], read: Callable[[Path], ChunkedLog]
) -> Source:
    """A log of days, which Tianchi gives to those who have an account."""
    return Source(
        name,
        ("time",),
        holds,
        read,
        Download(
            {},
            (),
            f"get {archive} from https://tianchi.aliyun.com/dataset/{number}, which needs an account, and "
            f"put it into <data-dir>/{name}",
        ),
        absent="manual download",
    )


def s3rec_of(name: str, category: str, users: int, items: int, interactions: int) -> Source:
    """A category of S3-Rec's sequences."""
    return Source(
        f"s3rec-{name}",
        ("leave-last-one", "next-item", "cold-items"),
        raw.holds(*s3rec.files(category)),
        partial(s3rec.load, name=f"s3rec-{name}", category=category),
        Download(
            s3rec.DIGESTS,
            ("https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/HEAD/data/{file}",),
            f"get {' and '.join(s3rec.files(category))} from https://github.com/RUCAIBox/CIKM2020-S3Rec, and "
            "put them into <data-dir>/s3rec",
        ),
        folder="s3rec",
        users=users,
        items=items,
        interactions=interactions,
    )
