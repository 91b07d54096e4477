"""Datasets by name or path: found, downloaded or generated, then read and split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own import selection
from retrieval_leaderboard.datasets.own.spec import DataSpec, option
from retrieval_leaderboard.datasets.profiling import profile_of
from retrieval_leaderboard.datasets.sources import download, folders
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.datasets.splits.holdout import CARVES
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS, excludes_seen, of_own_files
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.datasets.tables import user_file
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.locks import locked


def load(
    dataset: str,
    data_dir: Path,
    *,
    protocol: str | None = None,
    exclude_seen: bool | None = None,
    split_seed: int = 0,
    carve: str | None = None,
    fallback: bool = True,
    scale: float | None = None,
    **own: Any,
) -> Dataset:
    """Find or download a dataset, read it and split it; what is asked for is checked before that.

    Args:
        dataset: a key of `SOURCES`, or the path of a file of interactions (see `user_file.load`).
        data_dir: files of a named dataset are looked for in, and downloaded to, its `Source.folder` there;
            where that cannot be written, the one in `cache_dir()` takes its place.
        protocol: a key of `PROTOCOLS`; the dataset's first one by default.
        exclude_seen: keep a user's earlier items out of the answer; by default as the protocol says, yet not
            where `own` has a target.
        split_seed: seed of all that is random in the split.
        carve: how protocol published carves validation, a key of `CARVES`; by default as the
            dataset declares, else a draw.
        fallback: whether `Source.fallback`, under its own name, takes the place of what is not to be had.
        scale: size of a generated dataset, 1.0 being that of the one it stands in for.
        own: what is said of one's own data, by the names of `DataSpec`'s fields.

    Raises:
        InputError: an unknown name, protocol or carve, a carve for another protocol, files that are missing
            or malformed, or a split that leaves nothing to ask or to learn from.
    """
    spec = DataSpec.of(own)
    source = None if _is_path(dataset) else _named(dataset, spec)
    protocols = of_own_files(timed=True) if source is None else source.protocols
    _check_scale(dataset, source, scale)
    _check_split(dataset, protocols, protocol, carve, split_seed)
    if source is None:
        log = _own_file(Path(dataset), spec, protocol)
        protocols = of_own_files(log.timestamp is not None)
        why = "by default, for there are times" if log.timestamp is not None else "for there are no times"
    else:
        log, why = _read(source, data_dir, fallback, scale), "the dataset's own"
        log = replace(log, carve=carve or source.carve)
    name = protocol or protocols[0]
    selection.check(spec, PROTOCOLS[name])
    log = selection.applied(log, spec)
    if exclude_seen is None:
        # What is bought was often viewed before: with a target, seen items stay.
        exclude_seen = excludes_seen(name) and log.target is None
    divided = split(log, name, exclude_seen, split_seed)
    profile = profile_of(log, divided, why if protocol is None else "as asked for")
    more = (warning for warning in profile.warnings if warning not in divided.notes)
    return replace(divided, profile=profile, notes=(*divided.notes, *more))


def _is_path(dataset: str) -> bool:
    return Path(dataset).suffix.lower() in user_file.SUFFIXES or Path(dataset).name != dataset


def _named(name: str, spec: DataSpec) -> Source:
    if name not in SOURCES:
        raise unknown("dataset", name, SOURCES)
    if given := [each for each in spec.given() if each not in selection.FOR_ANY]:
        raise InputError(
            f"{' and '.join(map(option, given))}: that is for data of your own; leave it out for {name}"
        )
    return SOURCES[name]


def _check_scale(dataset: str, source: Source | None, scale: float | None) -> None:
    scalable = {name for name, each in SOURCES.items() if each.generate}
    if scale is not None and (source is None or not {source.name, source.fallback} & scalable):
        raise InputError(f"a scale is for {' and '.join(sorted(scalable))}; {dataset} has one size")


def _check_split(
    dataset: str, protocols: tuple[str, ...], protocol: str | None, carve: str | None, split_seed: int
) -> None:
    """What is asked of a dataset that can be split by `protocols`."""
    if protocol is not None and protocol not in protocols:
        raise unknown(f"protocol for {dataset}", protocol, protocols)
    if split_seed < 0:
        raise InputError(f"split seed {split_seed}: give 0 or more")
    if carve is None:
        return
    if carve not in CARVES:
        raise unknown("carve", carve, CARVES)
    if not PROTOCOLS[protocol or protocols[0]].own_test:
        theirs = ", ".join(name for name, each in PROTOCOLS.items() if each.own_test)
        raise InputError(f"carve {carve}: that is for protocol {theirs}; leave it out for {dataset}")


def _own_file(path: Path, spec: DataSpec, protocol: str | None) -> Log:
    """A user's file; it never takes the name of a known dataset."""
    rated = protocol is not None and PROTOCOLS[protocol].rated
    if spec.columns.get("rating") and spec.min_rating is None and not rated:
        raise InputError(
            f"--columns rating={spec.columns['rating']}: protocol "
            f"'{protocol or of_own_files(timed=True)[0]}' counts every row alike; give --min-rating X to "
            "leave low ones out, or leave the rating out"
        )
    timed = protocol is None or PROTOCOLS[protocol].timed
    log = user_file.load(path, spec, timed=timed, rated=rated)
    return replace(log, name=user_file.safe_name(path.name)) if log.name.lower() in SOURCES else log


def _read(source: Source, data_dir: Path, fallback: bool, scale: float | None) -> Log:
    """The log of a dataset, of its files or generated, or else of its fallback."""
    folder = None if source.generate and scale is not None else folders.find(source, data_dir)
    if source.generate and folder is None:
        return source.generate(scale)
    try:
        folder = folder or _download(source, data_dir)
    except InputError as error:
        if not (source.fallback and fallback):
            raise
        progress.say(str(error))
        log = _read(SOURCES[source.fallback], data_dir, fallback, scale)
        return replace(log, notes=(*log.notes, f"stands in for {source.name}, whose files are not here"))
    log = _in_memory(source.read(folder))
    if log.name != source.name and not fallback:
        raise InputError(
            f"{folder} holds {log.title}, and no fallback is allowed; put {source.name}'s own files there"
        )
    return _compared(log, source)


def _in_memory(read: Log | ChunkedLog) -> Log:
    return read.log() if isinstance(read, ChunkedLog) else read


def _compared(log: Log, source: Source) -> Log:
    """`log` with a note on each count that is not the published one."""
    counts = {
        "users": (len(log.user_ids), source.users),
        "items": (len(log.item_ids), source.items),
        "interactions": (len(log.user), source.interactions),
    }
    notes = (
        f"{found:,} {what}, not the published {published:,}"
        for what, (found, published) in counts.items()
        if published not in (None, found)
    )
    return replace(log, notes=(*log.notes, *notes))


def _download(source: Source, data_dir: Path) -> Path:
    """Have the dataset's files, fetched by one process while others wait; the folder they are in."""
    place = folders.for_downloads(data_dir)
    folder = place / source.folder
    assert source.download is not None
    with locked(place, f"another command is downloading into {place}: waiting for it"):
        try:
            if not source.holds(folder):
                download.fetch(source.name, source.download, folder)
        except InputError as error:
            raise InputError(f"{source.name} is not in {data_dir / source.folder}; {error}") from error
    return folder
