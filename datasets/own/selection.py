"""What of a log is used, and what it weighs: filters, events and repeats, in their order."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from retrieval_leaderboard.datasets import filters
from retrieval_leaderboard.datasets.log import ONCE, SUM, Log
from retrieval_leaderboard.datasets.own import amounts, events
from retrieval_leaderboard.datasets.own.spec import PARTS, DataSpec, option
from retrieval_leaderboard.datasets.own.values import is_frame
from retrieval_leaderboard.datasets.prepared.derived import derived
from retrieval_leaderboard.datasets.splits.candidates import without_own_list
from retrieval_leaderboard.datasets.splits.protocol import Protocol
from retrieval_leaderboard.datasets.splits.registry import GIVEN
from retrieval_leaderboard.datasets.times import parse
from retrieval_leaderboard.datasets.times.unix_times import PLAUSIBLE, UNITS
from retrieval_leaderboard.support.errors import InputError

FILTERS = ("since", "until", "dedup_window", "min_history", "k_core")
WEIGHTS = ("repeats", "weight_cap")
FOR_ANY = (*FILTERS, *WEIGHTS)
"""The fields of `DataSpec` that are for named datasets too"""


def check(spec: DataSpec, protocol: Protocol, protocols: Iterable[Protocol]) -> None:
    """Refuse what would change a split that is the source's own, or the weights of one that is published.

    Args:
        spec: what is asked for.
        protocol: the one that is chosen.
        protocols: those that the data can be split by.
    """
    free = any(not each.own_test for each in protocols)
    advice = f"leave it out{', or choose another protocol' if free else ''}"
    given = [option(name) for name in FILTERS if name in spec.given()]
    if given and protocol.own_test:
        raise InputError(
            f"{' and '.join(given)}: protocol {protocol.name} keeps the source's own split, which filters "
            f"would change; {advice}"
        )
    given = [option(name) for name in WEIGHTS if name in spec.given()]
    if given and protocol.own_test and protocol.name != GIVEN:
        raise InputError(
            f"{' and '.join(given)}: protocol {protocol.name} keeps the source's own split, in which each "
            f"pair of user and item counts once; {advice}"
        )


def applied(log: Log, spec: DataSpec) -> Log:
    """`log` after the window, the deduplication, events, minimum history and k-core, in this order.

    Its title says so.

    Raises:
        InputError: nothing is left, or the log lacks what is needed.
    """
    began = log.title or log.name
    said = {name: value for name, value in spec.given().items() if name in (*FILTERS, "events", "target")}
    log = derived(log, lambda log: _narrowed(log, spec), said, "filtering") if said else log
    log = _repeated(log, spec)
    _check_parts(log, spec)
    words = [*events.words(spec), *(each.words for each in log.filtered), *_of_weights(log)]
    return replace(log, title=", ".join([began, *words]))


def _narrowed(log: Log, spec: DataSpec) -> Log:
    # Of fewer rows, a list of no others would look like one that names more.
    log = without_own_list(log)
    if spec.since or spec.until:
        since, until = (_moment(log, spec, name) for name in ("since", "until"))
        log = filters.window(log, since, until, _window(spec))
    if spec.dedup_window:
        _check_dated(log)
        said = f"repeats within {_duration(spec.dedup_window)} left out"
        log = filters.without_repeats(log, spec.dedup_window, said)
    log = events.applied(log, spec)
    if spec.min_history:
        log = filters.min_history(log, spec.min_history, f"users of {spec.min_history} or more")
    if spec.k_core:
        log = filters.k_core(log, spec.k_core, f"{spec.k_core}-core")
    return log


def _check_parts(log: Log, spec: DataSpec) -> None:
    """Refuse files of a part of which no row is left."""
    for name, part in PARTS.items():
        given = getattr(spec, name)
        if given and not any((each.part == part).any() for each in log.parts() if each.part is not None):
            files = " ".join(str(each) for each in given if not is_frame(each))
            raise InputError(
                f"{option(name)} {files}: no row of it is left, for it has none or other options leave them "
                "all out; leave it out, or give rows"
            )


def _repeated(log: Log, spec: DataSpec) -> Log:
    if spec.weight_cap is not None and log.weight is None and spec.repeats == ONCE:
        own = "--events, --columns weight=NAME or " if log.reading else ""
        raise InputError(
            f"--weight-cap: there are no weights to cap; give {own}--repeats sum, or leave it out"
        )
    return replace(log, repeats=spec.repeats, weight_cap=spec.weight_cap)


def _of_weights(log: Log) -> list[str]:
    column = log.reading.columns.get("weight") if log.reading else None
    found = [f"weights of {column}"] if column else []
    found += ["repeats summed"] if log.repeats == SUM else []
    return found + ([] if log.weight_cap is None else [f"weights up to {log.weight_cap:g}"])


def _moment(log: Log, spec: DataSpec, name: str) -> int | None:
    """Unix seconds, by the format of the data's own times or as ISO 8601."""
    value = getattr(spec, name)
    if not value:
        return None
    found = None
    if spec.time_format:
        with suppress(InputError):
            found = parse.read_one(value, spec.time_format)
    if found is not None and spec.time_format not in UNITS:
        return found
    try:
        found = parse.read_one(value) if found is None else found
    except InputError as error:
        advice = str(error).partition(": ")[2]
        raise InputError(f"{option(name)} {value}: that is no moment; {advice}") from error
    _check_era(log, name, value, found)
    return found


def _check_era(log: Log, name: str, value: str, found: int) -> None:
    """Refuse a number beside dates, such as 2020 for a year, and a date beside numbers that give an order."""
    dated = _is_dated(log)
    if dated and found < PLAUSIBLE[0] and "-" not in value and "/" not in value:
        problem = "as unix seconds it lies before 1980; give a date such as 2020-01-31"
    elif log.timestamp is not None and not dated and found >= PLAUSIBLE[0]:
        problem = "the times of this data are no dates; give a number"
    else:
        return
    raise InputError(f"{option(name)} {value}: {problem}")


def _is_dated(log: Log) -> bool:
    """Whether there are times, and they are dates and not numbers that give an order."""
    return log.timestamp is not None and bool(log.timestamp.max() >= PLAUSIBLE[0])


def _check_dated(log: Log) -> None:
    """Refuse a length of time beside numbers that give an order."""
    if log.timestamp is not None and not _is_dated(log):
        raise InputError(
            f"{option('dedup_window')}: the times of {log.title or log.name} give an order and are no dates; "
            "leave it out"
        )


def _window(spec: DataSpec) -> str:
    return " ".join(f"{name} {getattr(spec, name)}" for name in ("since", "until") if getattr(spec, name))


def _duration(seconds: float) -> str:
    """As short as it goes: "30m"."""
    units = amounts.UNITS
    unit = max((each for each in units if seconds % units[each] == 0), default="s", key=units.__getitem__)
    return f"{seconds / units[unit]:g}{unit}"
