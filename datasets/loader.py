"""Datasets by name or path: found, downloaded or generated, then read and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retrieval_leaderboard import WORKSPACE
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own import chunked, reader, remembered, selection
from retrieval_leaderboard.datasets.own.asked import Asked, Given, asked
from retrieval_leaderboard.datasets.own.features import describing
from retrieval_leaderboard.datasets.own.spec import DataSpec, option
from retrieval_leaderboard.datasets.prepared.dataset_folder import divided as prepared_split
from retrieval_leaderboard.datasets.prepared.derived import derived
from retrieval_leaderboard.datasets.prepared.limit import parse as parse_limit
from retrieval_leaderboard.datasets.prepared.loading import ENGINES, LOCAL, SPARK, Means, as_log
from retrieval_leaderboard.datasets.profiling import with_profile
from retrieval_leaderboard.datasets.sources import download, folders
from retrieval_leaderboard.datasets.sources.registry import SOURCES, taken
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.datasets.splits.holdout import CARVES
from retrieval_leaderboard.datasets.splits.order import RANDOM, TIES
from retrieval_leaderboard.datasets.splits.protocol import Protocol
from retrieval_leaderboard.datasets.splits.registry import GIVEN, LAST, PROTOCOLS, excludes_seen, of_own_files
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.datasets.times import places
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.locks import locked

DATA_DIR = WORKSPACE / "data"


def load(
    dataset: Given = None,
    data_dir: str | Path | None = None,
    *,
    protocol: str | None = None,
    exclude_seen: bool | None = None,
    split_seed: int | None = None,
    carve: str | None = None,
    ties: str | None = None,
    fallback: bool = True,
    scale: float | None = None,
    memory: str | int | None = None,
    engine: str = LOCAL,
    **own: Any,
) -> Dataset:
    """Find or download a dataset, read it and split it; what is asked for is checked before that.

    Args:
        dataset: a key of `SOURCES`; or data of one's own: a pandas table, the path of a file, a folder or a
            pattern, a list of these, a dataset file or a `DataSpec`. None where `own` names the tables.
        data_dir: files of a named dataset are looked for in, and downloaded to, its `Source.folder` there;
            where that cannot be written, the one in `cache_dir()` takes its place. `DATA_DIR` by default.
        protocol: a key of `PROTOCOLS`; the dataset's first one by default.
        exclude_seen: keep a user's earlier items out of the answer; by default as the protocol says, yet not
            where there is a target.
        split_seed: seed of all that is random in the split, 0 by default.
        carve: how validation is carved where the source has test rows alone, a key of `CARVES`; by default
            as the dataset declares, else a draw.
        ties: the order of a user's interactions at one time, where the last ones are asked for; a key of
            `TIES`, drawn by default.
        fallback: whether `Source.fallback`, under its own name, takes the place of what is not to be had.
        scale: size of a generated dataset, 1.0 being that of the one it stands in for.
        memory: bytes, or such as "6GB", that reading and splitting may take; the log is then sorted on disk,
            and its arrays are mapped from there. None to have all in memory.
        engine: one of `ENGINES`: by "spark" the session of `support.spark` sorts and splits what can be read
            chunk by chunk, and `memory` is what each of its tasks may take; the dataset is the same.
        own: what is said of one's own data, by the names of `DataSpec`'s fields; a table of items may also
            be called item_features, and one of users user_features. It goes before what a
            dataset file says, and so do the other arguments.

    Raises:
        InputError: an unknown name, protocol, carve or order of ties, one of these for another protocol,
            files that are missing or malformed, or a split that leaves nothing to ask or to learn from.
    """
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    means = Means(parse_limit(memory), engine == SPARK)
    said = {
        "protocol": protocol,
        "exclude_seen": exclude_seen,
        "split_seed": split_seed,
        "carve": carve,
        "ties": ties,
    }
    found = asked(dataset, describing.as_tables(own), list(SOURCES)).updated(said)
    with found.place.naming():
        return _loaded(found, _folder(data_dir), fallback, scale, means)


def _loaded(found: Asked, folder: Path, fallback: bool, scale: float | None, means: Means) -> Dataset:
    """What `load` is asked for, by its arguments."""
    how, spec = found.split, found.spec
    source = SOURCES[found.name] if found.name else None
    protocols = _of_own(spec, timed=True) if source is None else source.protocols
    _check_own(source, spec)
    _check_scale(found.title, source, scale)
    _check_split(found.title, protocols, how)
    name = how.get("protocol")
    if source is None:
        log = _own(spec, name, means)
        protocols = _of_own(spec, log.timestamp is not None)
        usual, why = (protocols[0], "as asked for") if name else _usual_of_own(log, protocols)
    else:
        log = replace(_read(source, folder, fallback, scale, means), carve=source.carve)
        usual, why = protocols[0], "as asked for" if name else "the dataset's own"
    log = replace(log, carve=how.get("carve", log.carve), ties=how.get("ties", log.ties))
    chosen = name or usual
    selection.check(spec, PROTOCOLS[chosen], [PROTOCOLS[each] for each in protocols])
    log = selection.applied(log, spec)
    # What is bought was often viewed before: with a target, seen items stay.
    excludes = excludes_seen(chosen) and log.target is None
    excluded, seed = how.get("exclude_seen", excludes), how.get("split_seed", 0)
    origin = remembered.source(found, folder, scale)
    if log.by_user is not None:
        return prepared_split(log, chosen, excluded, seed, why, origin, means.on_spark)
    return replace(with_profile(log, split(log, chosen, excluded, seed), why), source=origin)


def _folder(data_dir: Any) -> Path:
    if not isinstance(data_dir, str | Path | None):
        raise InputError(f"data_dir: {data_dir!r} is no path; give one")
    return DATA_DIR if data_dir is None else Path(data_dir)


def _check_own(source: Source | None, spec: DataSpec) -> None:
    given = [name for name in spec.given() if name not in selection.FOR_ANY]
    if source is not None and given:
        options = " and ".join(map(option, given))
        raise InputError(f"{options}: that is for data of your own; leave it out for {source.name}")


def _of_own(spec: DataSpec, timed: bool) -> tuple[str, ...]:
    """The protocols that one's own data can be split by; the first is the default."""
    return (GIVEN,) if spec.is_split else of_own_files(timed)


def _check_scale(dataset: str, source: Source | None, scale: float | None) -> None:
    scalable = {name for name, each in SOURCES.items() if each.generate}
    if scale is not None and (source is None or not {source.name, source.fallback} & scalable):
        raise InputError(f"--scale is for {' and '.join(sorted(scalable))}; {dataset} has one size")


def _check_split(called: str, protocols: tuple[str, ...], how: dict[str, Any]) -> None:
    """What is asked of a dataset that can be split by `protocols`."""
    protocol = how.get("protocol")
    if protocol is not None and protocol not in protocols:
        raise unknown(f"protocol for {called}", protocol, protocols)
    if how.get("split_seed", 0) < 0:
        raise InputError(f"--split-seed {how['split_seed']}: give 0 or more")
    chosen = PROTOCOLS[protocol or protocols[0]]
    _check_carve(called, chosen, how.get("carve"))
    _check_ties(called, protocols, chosen, how)


def _check_carve(called: str, protocol: Protocol, carve: str | None) -> None:
    if carve is None:
        return
    if carve not in CARVES:
        raise unknown("carve", carve, CARVES)
    if not protocol.own_test:
        theirs = " and ".join(name for name, each in PROTOCOLS.items() if each.own_test)
        raise InputError(f"--carve {carve}: that is for protocol {theirs}; leave it out for {called}")


def _check_ties(called: str, protocols: Sequence[str], protocol: Protocol, how: dict[str, Any]) -> None:
    """Ties as drawn are the default, and right for every protocol."""
    ties, seed = how.get("ties", RANDOM), how.get("split_seed", 0)
    if ties not in TIES:
        raise unknown("ties", ties, TIES)
    if ties == RANDOM:
        return
    if not protocol.sequential:
        theirs = " or ".join(name for name in protocols if PROTOCOLS[name].sequential)
        choose = f"choose {theirs} by --protocol, or leave it out" if theirs else f"leave it out for {called}"
        raise InputError(f"--ties {ties}: protocol {protocol.name} does not ask for last events; {choose}")
    if seed and not protocol.draws:
        raise InputError(
            f"--split-seed {seed}: with --ties {ties} protocol {protocol.name} draws nothing; leave it out"
        )


def _own(spec: DataSpec, protocol: str | None, means: Means) -> Log:
    """The log of one's own data; it takes no known dataset's name."""
    protocol = protocol or (GIVEN if spec.is_split else None)
    rated = protocol is not None and PROTOCOLS[protocol].rated
    if spec.columns.get("rating") and spec.min_rating is None and not rated:
        raise InputError(
            f"--columns rating={spec.columns['rating']}: protocol "
            f"'{protocol or _of_own(spec, timed=True)[0]}' counts every row alike; give --min-rating X to "
            "leave low ones out, or leave the rating out"
        )
    # The order of files that come split is no time: they need theirs, or say that there are none.
    timed = protocol in (None, GIVEN) or PROTOCOLS[protocol].timed
    in_parts = means.memory is not None or (means.on_spark and chunked.in_parts(spec))
    if means.limit is None or not in_parts:
        log = describing.described(reader.read(spec, timed=timed, rated=rated), spec)
    else:
        in_chunks, paths = chunked.log(spec, means.limit, timed=timed, rated=rated)
        log = as_log(in_chunks, paths, means, (chunked.said(spec), timed, rated))
        if said := describing.said(spec):
            log = derived(log, lambda log: describing.described(log, spec), said, "describing")
    if taken(log.name.lower()):
        log = replace(log, name=f"{log.name}-own")
    return log


def _usual_of_own(log: Log, protocols: Sequence[str]) -> tuple[str, str]:
    """The protocol, of those that fit, where none is asked for, and why."""
    if protocols[0] == GIVEN:
        return GIVEN, "for the files come split"
    if log.timestamp is None:
        return protocols[0], "for there are no times"
    if places.are_places(log):
        return LAST, "by default, for times are places in each user's sequence"
    return protocols[0], "by default, for there are times"


def _read(source: Source, data_dir: Path, fallback: bool, scale: float | None, means: Means) -> Log:
    """The log of a dataset, of its files or generated, or else of its fallback."""
    folder = None if source.generate and scale is not None else folders.find(source, data_dir)
    if source.generate and folder is None:
        return as_log(source.generate(scale), [], means)
    try:
        folder = folder or _download(source, data_dir)
    except InputError as error:
        if not (source.fallback and fallback):
            raise
        progress.say(str(error))
        log = _read(SOURCES[source.fallback], data_dir, fallback, scale, means)
        return replace(log, notes=(*log.notes, f"stands in for {source.name}, whose files are not here"))
    if scale is not None:
        raise InputError(f"--scale {scale:g}: {folder} has {source.name}'s files, of one size; leave it out")
    log = as_log(source.read(folder), [folder], means)
    if log.name in SOURCES.keys() - {source.name} and not fallback:
        raise InputError(
            f"{folder} holds {log.title}, and no fallback is allowed; put {source.name}'s own files there"
        )
    return _compared(log, source)


def _compared(log: Log, source: Source) -> Log:
    """`log` with a note on each count that is not the published one; every row that was read counts."""
    users, items, rows = source.counts.get(log.name, (source.users, source.items, source.interactions))
    counts = {
        "users": (len(log.user_ids), users),
        "items": (len(log.item_ids), items),
        "interactions": (log.reading.rows if log.reading else len(log.user), rows),
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
