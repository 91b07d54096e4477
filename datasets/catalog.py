"""Datasets by name: how each is found, got, read and split."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval_leaderboard.datasets import profile as profiles
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources import download, lightgcn, movielens
from retrieval_leaderboard.datasets.splits.holdout import AS_TEST, DRAW, asked
from retrieval_leaderboard.datasets.splits.split import RATED, TIMELESS, excludes_seen, split
from retrieval_leaderboard.datasets.tables import table
from retrieval_leaderboard.support import checksums, progress
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.locks import locked

STAND_IN = "aliec-sim"


@dataclass(frozen=True)
class Source:
    """A named dataset."""

    protocols: tuple[str, ...]
    """Those it can be split by; the first is the default."""
    holds: Callable[[Path], bool]
    """Whether a folder has its files."""
    read: Callable[[Path], Log]
    interactions: int | None = None
    """Published number, test rows included; where the files have another, the dataset says so."""


@dataclass(frozen=True)
class Listed:
    """A line of the list of datasets."""

    name: str
    status: str
    """"found", "incomplete", "downloadable", "embedded" or "by hand"."""
    protocols: tuple[str, ...]
    """The first is the default."""
    folder: Path
    """Where its files are, or are looked for."""


def load(
    dataset: str,
    data_dir: Path,
    *,
    protocol: str | None = None,
    exclude_seen: bool | None = None,
    split_seed: int = 0,
    carve: str | None = None,
    columns: dict[str, str] | None = None,
    time_format: str = "",
    min_rating: float | None = None,
    drop_incomplete: bool = False,
    stand_in: bool = True,
    scale: float | None = None,
) -> Dataset:
    """Find or download a dataset, read it and split it.

    Args:
        dataset: a name of `listing`, or the path of a file of interactions (see `table.load`).
        data_dir: files of a named dataset are looked for in, and downloaded to, `<data_dir>/<name>`;
            where that cannot be written, `<cache_dir()>/<name>` takes its place.
        protocol: a key of `splits.PROTOCOLS`; the dataset's first one by default.
        exclude_seen: keep a user's earlier items out of the answer; by default in all protocols
            but next-item and cold-items.
        split_seed: seed of all that is random in the split.
        carve: how protocol published carves validation, one of `carving.CARVES`; by default as the
            dataset declares, else a draw.
        columns: role → column name, for a file of one's own; "" does without times or ratings.
        time_format: how to read its times, where that is not plain: see `table.Choice`.
        min_rating: leave out its rows with a lower rating.
        drop_incomplete: leave out its rows without user, item, or another value that is used.
        stand_in: whether aliec-sim, under its own name, takes the place of aliec where that is not to be had.
        scale: size of aliec-sim, 1.0 being that of aliec.

    Raises:
        InputError: an unknown name, protocol or carve, a carve for another protocol, files that are missing
            or malformed, or a split that leaves nothing to ask or to learn from.
    """
    choice = table.Choice(columns or {}, time_format, min_rating, drop_incomplete)
    own = _is_path(dataset)
    if not own and dataset not in SOURCES:
        raise unknown("dataset", dataset, SOURCES)
    if scale is not None and dataset not in ("aliec", STAND_IN):
        raise InputError(f"a scale is for {STAND_IN}; {dataset} has one size")
    if own:
        log, protocols = _own_file(Path(dataset), choice, protocol)
        default = "by default, for there are times" if log.timestamp is not None else "for there are no times"
    else:
        log, protocols = _named(dataset, data_dir, choice, stand_in, scale), SOURCES[dataset].protocols
        default = "the dataset's own"
    if protocol is not None and protocol not in protocols:
        raise unknown(f"protocol for {log.name}", protocol, protocols)
    chosen = protocol or protocols[0]
    if exclude_seen is None:
        exclude_seen = excludes_seen(chosen)
    if carve is not None:
        log = replace(log, carve=asked(carve, chosen))
    divided = split(log, chosen, exclude_seen, split_seed)
    why = default if protocol is None else "as asked for"
    profile = profiles.of(log, divided, why)
    more = (warning for warning in profile.warnings if warning not in divided.notes)
    return replace(divided, profile=profile, notes=(*divided.notes, *more))


def listing(data_dir: Path) -> list[Listed]:
    """All named datasets; touches no network."""
    listed = []
    absent = {STAND_IN: "embedded", "aliec": "by hand"}
    for name, source in SOURCES.items():
        try:
            folder = _find(name, data_dir)
            status = "found" if folder else absent.get(name, "downloadable")
        except InputError:
            folder, status = None, "incomplete"
        listed.append(Listed(name, status, source.protocols, folder or data_dir / name))
    return listed


def cache_dir() -> Path:
    """Folder of what can be made again: $RETRIEVAL_CACHE, else the system's place for caches."""
    import pooch

    return Path(os.environ.get("RETRIEVAL_CACHE") or pooch.os_cache("retrieval-leaderboard"))


def _is_path(dataset: str) -> bool:
    return Path(dataset).suffix.lower() in table.SUFFIXES or Path(dataset).name != dataset


def _own_file(path: Path, choice: table.Choice, protocol: str | None) -> tuple[Log, tuple[str, ...]]:
    """A user's file and its protocols; it never takes the name of a known dataset."""
    rated = protocol in RATED
    if choice.columns.get("rating") and choice.min_rating is None and not rated:
        raise InputError(
            f"--columns rating={choice.columns['rating']}: protocol '{protocol or 'time'}' counts every row "
            "alike; give --min-rating X to leave low ones out, or leave the rating out"
        )
    log = table.load(path, **vars(choice), timed=protocol not in TIMELESS, rated=rated)
    if log.name.lower() in SOURCES:
        log = replace(log, name=table.safe_name(path.name))
    timed = ("time", "next-item", "cold-items", "leave-last-one")
    return log, ("random", *timed) if log.timestamp is None else (*timed, "random")


def _named(name: str, data_dir: Path, choice: table.Choice, stand_in: bool, scale: float | None) -> Log:
    if choice.columns:
        raise InputError(f"column names are for a file of your own; {name} has its own")
    if choice != table.Choice():
        raise InputError(
            "--time-format, --min-rating and --drop-incomplete are for a file of your own; leave them out "
            f"for {name}"
        )
    if name == STAND_IN:
        return _simulated(data_dir, scale)
    folder = _find(name, data_dir)
    if folder is None:
        try:
            folder = _download(name, data_dir)
        except InputError as error:
            if name != "aliec" or not stand_in:
                raise
            progress.say(str(error))
            log = _simulated(data_dir, scale)
            return replace(log, notes=(*log.notes, "stands in for aliec, whose files are not here"))
    log = _compared(SOURCES[name].read(folder), SOURCES[name].interactions)
    if log.synthetic and not stand_in:
        raise InputError(f"{folder} holds generated files and no stand-in is allowed; put aliec's own there")
    return log


def _compared(log: Log, published: int | None) -> Log:
    if published is None or len(log.user) == published:
        return log
    note = f"{len(log.user):,} interactions, not the published {published:,}"
    return replace(log, notes=(*log.notes, note))


def _find(name: str, data_dir: Path) -> Path | None:
    """The folder that holds a dataset's files, if any does."""
    for folder in (data_dir / name, cache_dir() / name):
        if SOURCES[name].holds(folder):
            return folder
    return None


def _download(name: str, data_dir: Path) -> Path:
    """Have the dataset's files, fetched by one process while others wait."""
    place = data_dir if _writable(data_dir) else cache_dir()
    with locked(place, f"another command is downloading into {place}: waiting for it"):
        try:
            if not SOURCES[name].holds(place / name):
                download.fetch(name, place / name)
        except InputError as error:
            raise InputError(f"{name} is not in {data_dir / name}; {error}") from error
    return place / name


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def _simulated(data_dir: Path, scale: float | None) -> Log:
    """The embedded data: files in `data_dir` where no scale is asked for, else made once and kept."""
    from retrieval_leaderboard.datasets.aliec import reader, simulator

    given = data_dir / STAND_IN
    if scale is None and reader.find(given):
        return reader.load(given, cache_dir())
    scale = simulator.DEFAULT_SCALE if scale is None else scale
    folder = cache_dir() / STAND_IN / f"scale-{scale}-seed-0-v{simulator.FORMAT}"
    _generate(folder, scale, simulator.MARKER)
    try:
        return reader.load(folder, cache_dir())
    except reader.DamagedError:
        _generate(folder, scale)
        return reader.load(folder, cache_dir())


def _generate(folder: Path, scale: float, *checked: str) -> None:
    """Have the generator's files in `folder`, made by one process while others wait.

    Of what is there, the files `checked` are compared with their sums; all by default.
    """
    from retrieval_leaderboard.datasets.aliec import simulator

    if not _flaw(folder, checked):
        return
    with locked(cache_dir(), f"another command is filling {cache_dir()}: waiting for it"):
        flaw = _flaw(folder, checked)
        if folder.exists() and flaw:
            progress.say(f"{folder} is damaged ({flaw}): it is made anew")
            shutil.rmtree(folder, ignore_errors=True)
        if flaw:
            simulator.generate(folder, scale)


def _flaw(folder: Path, checked: tuple[str, ...]) -> str:
    """Why generated files cannot be used; "" where they can."""
    try:
        return checksums.damage(folder, *checked) if _holds_aliec(folder) else "its files are gone"
    except InputError as error:
        return str(error)


def _holds_aliec(folder: Path) -> bool:
    from retrieval_leaderboard.datasets.aliec import reader

    return reader.find(folder)


def _read_aliec(folder: Path) -> Log:
    from retrieval_leaderboard.datasets.aliec import reader

    return reader.load(folder, cache_dir())


def _files(*names: str) -> Callable[[Path], bool]:
    return lambda folder: all((folder / name).is_file() for name in names)


def _lightgcn(name: str, interactions: int) -> Source:
    def read(folder: Path) -> Log:
        return replace(lightgcn.load(folder, name), carve=_CARVE.get(name, DRAW))

    return Source(("published",), _files(*lightgcn.FILES), read, interactions)


_TIMED = ("next-item", "cold-items", "leave-last-one", "time")
_LIGHTGCN = {
    "gowalla": 1_027_370,
    "yelp2018": 1_561_406,
    "amazon-book": 2_984_108,
    "amazon-cds": 777_426,
    "amazon-movies": 1_070_860,
    "amazon-beauty": 79_506,
    "citeulike-a": 178_062,
}
# Their test rows lie together, and the settings of gowalla's stored runs were chosen on stretches. That
# began on 2026-11-25 after a look at test results: on gowalla's test ItemCF, as chosen on drawn rows, had
# been below its defaults.
_CARVE = {"gowalla": AS_TEST, "yelp2018": AS_TEST}
SOURCES: dict[str, Source] = {
    STAND_IN: Source(("time",), _holds_aliec, _read_aliec),
    "aliec": Source(("time",), _holds_aliec, _read_aliec),
    **{name: _lightgcn(name, interactions) for name, interactions in _LIGHTGCN.items()},
    "ml-1m": Source(_TIMED, _files(*movielens.FILES_1M), movielens.load_1m, 1_000_209),
    "ml-100k": Source(_TIMED, _files(*movielens.FILES_100K), movielens.load_100k, 100_000),
}
