"""The command that makes a row of a board."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec, option
from retrieval_leaderboard.datasets.splits.order import SOURCE
from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports.board import COMPUTED, Row
from retrieval_leaderboard.evaluation.reports.pages.lengths_table import other_lengths
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary

K = 20
"""Length of the lists where a command does not say"""
WIDTH = 100
"""Characters of a line of a page's code"""
OWN_FILE, EARLIER_RUN = "FILE.py:CLASS", "RUN"
"""Stand for a plug-in's file that the record does not name, and for the run that a warm start went on from"""
FOLDERS = re.compile(r"(^|[=,])/(?:[^/,]*/)*(?=[^/,])")
"""What stands before the last part of an absolute path"""
PATHS = {each.name for each in fields(DataSpec) if each.metadata["parse"] is values.tables}
"""Options that take several words"""
SCALED = re.compile(r"scale ([\d.]+)$")
"""Titles of generated data, in records that say nothing else of its source"""


def command(row: Row) -> list[str]:
    """Its words: the data, the model and, where configs lead elsewhere, every setting that is no default.

    [] for lists from elsewhere, which no command of this suite made.
    """
    if row.provenance.by == "lists":
        return []
    if row.newest.warm_start:
        given = _passes(row)
    elif row.model in registry.names():
        given = _settings(row)
    else:
        given = _assignments(row.model, asked(row))
    return [*_started(row), *given]


def search(row: Row) -> list[str]:
    """The words of the command that searched its settings; [] where no budget of time on these data led to
    them.
    """
    made = row.provenance
    if made.by != "budget" or made.cap_minutes is None or made.other_data:
        return []
    threads = [] if made.threads is None else ["--threads", str(made.threads)]
    whole = made.cap_minutes == int(made.cap_minutes)
    budget = f"{made.cap_minutes:g}m" if whole else f"{made.cap_minutes * 60:g}s"
    return [*_started(row), *threads, "--budget", budget]


def to_put_in(row: Row) -> str:
    """What to replace in the command of a row before it can be pasted, in a sentence; "" for nothing."""
    words = command(row)
    known = {
        EARLIER_RUN: f"the folder of the run that it went on from, one of the row {row.newest.warm_start}",
        OWN_FILE: f"the file and the class of {row.model}, which its runs do not name",
    }
    found = [f"for `{word}` {what}" for word, what in known.items() if word in words]
    if short := [f"`{word}`" for word in _shortened(row) if word in words]:
        found.append(f"before {', '.join(short)} the folder where you have it")
    return f"In the command, put {', and '.join(found)}." if found else ""


def _shortened(row: Row) -> Iterator[str]:
    """The words of a command, as shown, whose folders are left out."""
    source = row.newest.dataset.source
    words = (word for name, value in source.items() for word in _option(name, value))
    return (_shown(word) for word in [row.newest.plugin, *words] if _shown(word) != word)


def _started(row: Row) -> list[str]:
    """The words that say everything but the settings."""
    words = ["python", "run_all.py", *_data(row.newest.dataset), *_model(row)]
    seeds = 1 + max(record.seed for record in row.done + row.failed)
    if seeds > 1 and not row.newest.warm_start:
        words += ["--seeds", str(seeds)]
    words += [*_lengths(row), "--device", row.newest.device]
    if row.newest.device != "cpu":
        words += ["--precision", row.newest.precision]
    return words


def _lengths(row: Row) -> list[str]:
    """The option that names the lengths of lists, the board's first."""
    lengths = [row.newest.k, *other_lengths([row])]
    return [] if lengths == [K] else ["--k", ",".join(map(str, lengths))]


def _model(row: Row) -> list[str]:
    """The words that name the model."""
    if row.newest.warm_start:
        return ["--warm-start", EARLIER_RUN]
    registered = row.model in registry.names()
    return ["--models", row.model] if registered else ["--model", plugin(row) or OWN_FILE]


def _passes(row: Row) -> list[str]:
    """The setting that may be another one than in the run that a warm start went on from."""
    passes = registry.get(row.model).passes if row.model in registry.names() else ""
    return _assignments(row.model, {passes: row.settings[passes]}) if passes else []


def lines(words: Sequence[str]) -> str:
    """The words for a shell, in lines of no more than WIDTH characters where options allow it."""
    parts = re.split(r" (?=--)", shlex.join(words))
    text, line = "", parts[0]
    for part in parts[1:]:
        if len(line) + len(part) + 3 > WIDTH:
            text, line = f"{text}{line} \\\n", "   "
        line = f"{line} {part}"
    return text + line


def plugin(row: Row) -> str:
    """Path and class of the plug-in that made a row; "" for another row, and where it is not known."""
    return _shown(row.newest.plugin)


def asked(row: Row) -> dict[str, Any]:
    """The model's settings, without what it was computed on."""
    return {key: value for key, value in row.settings.items() if key not in COMPUTED}


@cache
def defaults(model: str) -> dict[str, Any]:
    """Those of a registered model; {} of another."""
    return settings.defaults(registry.get(model)) if model in registry.names() else {}


def changed(row: Row) -> dict[str, Any]:
    """The settings of `row` that are not the model's defaults; all where those are not known."""
    known = defaults(row.model)
    return {key: value for key, value in asked(row).items() if key not in known or known[key] != value}


def _settings(row: Row) -> list[str]:
    """What to say of settings: the shipped configs that have them, or else what differs from the defaults."""
    about = row.newest.dataset
    where = configs.section_of(about.protocol, about.ties, about.exclude_seen)
    if asked(row) != defaults(row.model):
        for folder in _folders(about.name):
            # Whatever a user's own searches have found: their configs would go before the shipped ones.
            if asked(row) == _configured(row.model, folder / f"{about.name}.yaml", about.protocol, where):
                return ["--configs-dir", folder.relative_to(ROOT).as_posix()]
    return ["--defaults", *_assignments(row.model, changed(row))]


@cache
def _folders(dataset: str) -> tuple[Path, ...]:
    """Folders of shipped configs, the usual one first, then those that have one of the dataset."""
    further = sorted(path.parent for path in configs.SHIPPED.glob(f"*/{dataset}.yaml"))
    return configs.SHIPPED, *further


def _assignments(model: str, given: Mapping[str, Any]) -> list[str]:
    return [word for key, value in given.items() for word in ("--set", f"{model}.{key}={value}")]


@cache
def _configured(model: str, path: Path, protocol: str, where: str) -> dict[str, Any]:
    """The settings of a command by a config; `where` is the split's section of it."""
    found = configs.of_split(path, protocol, where)
    given = found[model].settings if model in found else {}
    return settings.resolve(registry.get(model), given, str(path))


def _data(about: DatasetSummary) -> Iterator[str]:
    """The options that name the data and its split."""
    source = dict(about.source) or {"dataset": about.name}
    scaled = SCALED.search(about.title)
    if "scale" not in source and scaled:
        source["scale"] = scaled[1]
    folder = PurePath(source.get("data_dir", ""))
    if folder == PurePath("data") or folder.is_absolute() or ".." in folder.parts:
        source.pop("data_dir", None)  # The default, or a place that who reads the page does not have.
    for name, value in source.items():
        yield from map(_shown, _option(name, value))
    yield from ("--protocol", about.protocol)
    if about.exclude_seen != excludes_seen(about.protocol):
        yield "--exclude-seen" if about.exclude_seen else "--keep-seen"
    if about.split_seed:
        yield from ("--split-seed", str(about.split_seed))
    if about.ties == SOURCE:
        yield from ("--ties", SOURCE)
    if about.unusual_carve:
        yield from ("--carve", about.unusual_carve)


def _shown(word: str) -> str:
    """An option's word; of a path its last part: who reads the page has the files elsewhere."""
    return FOLDERS.sub(r"\1", word)


def _option(name: str, value: Any) -> list[str]:
    """A field of `DataSpec`, or another argument of `load`, as the command line takes it."""
    if value is True:
        return [option(name)]
    if isinstance(value, Mapping):
        return [option(name), ",".join(f"{key}={each}" for key, each in value.items())]
    if isinstance(value, list | tuple):
        return [option(name), *(map(str, value) if name in PATHS else [",".join(map(str, value))])]
    return [option(name), str(value)]
