"""A dataset in a folder of the cache: split part by part, and mapped from then on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ids import CompactIds, opened
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.prepared import parts_folder
from retrieval_leaderboard.datasets.prepared.folder import key, made
from retrieval_leaderboard.datasets.prepared.limit import size
from retrieval_leaderboard.datasets.prepared.log_folder import ROW_BYTES
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.prepared.spark.splitting import dealt
from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.datasets.profiling import with_profile
from retrieval_leaderboard.datasets.splits.order import RANDOM, SOURCE
from retrieval_leaderboard.datasets.splits.protocol import Parts
from retrieval_leaderboard.datasets.splits.registry import SEQUENTIAL
from retrieval_leaderboard.datasets.splits.split import Deal, in_turn, split
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import typed

WORDS = (
    "name", "protocol", "exclude_seen", "split_seed", "title", "synthetic", "candidates", "notes", "carve",
    "ties", "validation",
)  # fmt: skip
"""Fields of a `Dataset` that JSON can hold"""
ORDER_BYTES = 8
"""Of a row in `Whole.order`"""
IDS = ("user_ids", "item_ids")
FEATURES = ("user_features", "item_features")
IDLE = ("weight", "last_timestamp")
"""Columns that `split` may have found to say nothing"""


def divided(
    log: Log,
    protocol: str,
    exclude_seen: bool,
    split_seed: int,
    chosen: str,
    origin: Mapping[str, Any] | None = None,
    on_spark: bool = False,
) -> Dataset:
    """The dataset of a log by user, with its profile, from the cache, where it is kept from now on.

    Args:
        log: from `log_folder.prepared`.
        protocol: as for `split`, and so are `exclude_seen` and `split_seed`.
        exclude_seen: see there.
        split_seed: see there.
        chosen: why it is this protocol.
        origin: where it came from, as `Dataset.source`.
        on_spark: whether executors split it; the dataset is the same.

    Raises:
        InputError: as `split`, or the folder cannot be written.
    """
    assert log.by_user is not None and log.by_user.folder is not None
    _check_order(log, protocol, log.by_user.at_once * ROW_BYTES)
    of_log = (log.carve, log.ties, log.periods, log.name, log.title, log.notes, log.repeats, log.weight_cap)
    folder = log.by_user.folder
    target = folder.with_name(f"{folder.name}-{protocol}-{key(protocol, exclude_seen, split_seed, *of_log)}")

    def make(scratch: Path) -> dict[str, Any]:
        deal = dealt(scratch) if on_spark else in_turn
        return _write(scratch, log, deal, (protocol, exclude_seen, split_seed), chosen)

    return _read(target, made(target, make, f"the split of {log.name}"), chosen, origin or {})


def _check_order(log: Log, protocol: str, memory: int) -> None:
    """Refuse a protocol that draws an order of more rows than fit into half of a limit."""
    need = 2 * ORDER_BYTES * len(log.user)
    if protocol in SEQUENTIAL and log.ties == RANDOM and need > memory:
        raise InputError(
            f"{log.name}: protocol '{protocol}' draws the order of ties for {len(log.user):,} rows; "
            f"give --memory {size(need)} or more, --ties {SOURCE}, or choose protocol time"
        )


def _write(folder: Path, log: Log, deal: Deal, said: tuple[str, bool, int], chosen: str) -> dict[str, Any]:
    """Split `log` by `said`, the arguments of `split` that say how."""
    phases = Phases(log.name)
    layouts = []

    def join(parts: Iterator[tuple[int, Parts]]) -> Parts:
        layouts.append(parts_folder.write(folder, parts, len(log.user_ids)))
        return parts_folder.read(folder, layouts[0])

    with phases("splitting"):
        dataset = split(log, *said, join, deal)
        for name in IDS:
            ids = getattr(dataset, name)
            assert isinstance(ids, CompactIds)
            ids.save(folder, name)
        for name in FEATURES:
            features = getattr(dataset.train, name)
            if features is not None:
                features.save(folder / f"{name}.npz")
    with phases("profile"):
        dataset = with_profile(log, dataset, chosen)
        assert dataset.profile is not None
    with phases("fingerprint"):
        fingerprint = dataset.fingerprint
    layout = layouts[0].without(*(name for name in IDLE if getattr(dataset.train, name) is None))
    words = {name: getattr(dataset, name) for name in WORDS}
    stored = {"layout": asdict(layout), "profile": dataset.profile.as_dict(), "fingerprint": fingerprint}
    return words | stored | phases.as_json()


def _read(folder: Path, about: dict[str, Any], chosen: str, origin: Mapping[str, Any]) -> Dataset:
    parts = parts_folder.read(folder, typed.parse(parts_folder.Layout, about["layout"]))
    features: dict[str, Any] = {
        name: Features.load(folder / f"{name}.npz") for name in FEATURES if (folder / f"{name}.npz").exists()
    }
    ids: dict[str, Any] = {name: opened(folder, name) for name in IDS}
    profile = replace(typed.parse(Profile, about["profile"]), chosen=chosen)
    words = {name: about[name] for name in WORDS} | {"notes": tuple(about["notes"])}
    dataset = Dataset(
        train=replace(parts.train, **features),
        valid=parts.valid,
        train_valid=replace(parts.train_valid, **features),
        test=parts.test,
        **ids,
        **words,
        profile=profile,
        source=origin,
    )
    vars(dataset)["fingerprint"] = about["fingerprint"]  # What `cached_property` would keep.
    return dataset
