"""The named datasets: those that each module has in its `SOURCES`, with all that is particular to them."""

from __future__ import annotations

from retrieval_leaderboard.datasets.sources import (
    aliec,
    amazon,
    checkins,
    ifashion,
    kuairand,
    kuairec,
    lastfm,
    lightgcn,
    mind,
    movielens,
    netflix,
    s3rec,
    steam,
    taobao,
    tmall,
    yelp,
)
from retrieval_leaderboard.datasets.sources.source import Source

_MODULES = (
    *(aliec, lightgcn, movielens, netflix),
    *(amazon, s3rec, yelp, steam, taobao, tmall, ifashion),
    *(kuairec, kuairand, mind, lastfm, checkins),
)
SOURCES: dict[str, Source] = {source.name: source for module in _MODULES for source in module.SOURCES}


def taken(name: str) -> bool:
    """Whether a log of a source is called so: one of several datasets is by more than the source's name."""
    several = (f"{source.name}-" for source in SOURCES.values() if source.counts)
    return name in SOURCES or name.startswith(tuple(several))
