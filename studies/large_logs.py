"""What logs larger than memory take: `python -m studies.large_logs FOLDER --shape taobao --memory 4GB`.

Writes a log in the layout and size of a large official one to FOLDER, where it is not there; prepares and
splits it by time within the limit, in a process of its own; loads it again from the cache; fits models to it.
Keeps a record of each in `studies/records/large_logs/` and fills docs/large-logs.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.prepared import limit
from retrieval_leaderboard.datasets.prepared.dataset_folder import divided
from retrieval_leaderboard.datasets.prepared.loading import Means, as_log
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.studies.measured import Taken, empty_cache, measured
from retrieval_leaderboard.studies.official_shapes import SHAPES, Shape
from retrieval_leaderboard.support import compute, markdown, pages, progress
from retrieval_leaderboard.support.errors import InputError, in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "large_logs"
PAGE = ROOT / "docs" / "large-logs.md"
PREPARED, AGAIN = "to a ready split", "from the cache"
MODELS: dict[str, dict[str, Any]] = {
    "global_hot": {},
    "item_cf": {"top_k": 50},
    "swing": {"top_k": 50, "max_users_per_item": 200},
    "infonce": {"epochs": 1, "embedding_dim": 32, "neighbors": 0},
}
"""model → settings that differ from its defaults"""
MACHINE_MIB = 24 * 1024
QUERIES = 5000
"""Test queries that each model ranks"""


@dataclass(frozen=True)
class Record:
    """One step on one log."""

    shape: str
    rows: int
    step: str
    """`PREPARED`, `AGAIN` or a model"""
    taken: Taken
    memory: int
    """Bytes of the limit"""
    bytes: int
    """Of the source's files"""
    phases: dict[str, list[float]]
    """phase → seconds of the clock and of all threads"""
    spilled: int
    threads: int
    processor: str
    commit: str
    date: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Of a model, where they differ from its defaults"""
    schema: int = 1


def ready(shape: Shape, folder: Path, memory: int) -> Dataset:
    """The log in `folder`, split by time within `memory` bytes."""
    log = as_log(shape.read(folder), [folder], Means(memory))
    return divided(log, "time", True, 0, "as asked for")


def prepare(shape: str, folder: Path, memory: int) -> tuple[int, dict[str, list[float]]]:
    """Make it ready: bytes spilled, and seconds of each phase."""
    dataset = ready(SHAPES[shape], folder, memory)
    assert dataset.profile is not None
    path = Path(str(getattr(dataset.train.item, "filename", ""))).parent
    phases: dict[str, list[float]] = {}
    for each in (path.with_name("-".join(path.name.split("-")[:-2])), path):
        about = sealed.read(each / "manifest.json")
        phases |= {name: [wall, about["cpu_seconds"][name]] for name, wall in about["seconds"].items()}
    return dataset.profile.spilled, phases


def fit(shape: str, folder: Path, memory: int, name: str) -> tuple[int, dict[str, list[float]]]:
    """Fit a model to all that is not test and rank `QUERIES` queries: nothing spilled, seconds."""
    compute.configure("cpu", "fp32")
    dataset = ready(SHAPES[shape], folder, memory)
    kind = registry.get(name)
    model = settings.build(kind, settings.defaults(kind) | MODELS[name])
    for key, value in model.resolve(dataset.train, dataset.valid).items():
        setattr(model, key, value)
    phases = {}
    some = np.sort(np.random.default_rng(0).permutation(len(dataset.test))[:QUERIES])
    for phase, work in {
        "fit": lambda: model.fit(dataset.train_valid, None, 0),
        "rank": lambda: model.recommend(dataset.test.take(some), 20),
    }.items():
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        phases[phase] = [round(time.perf_counter() - wall, 2), round(time.process_time() - cpu, 2)]
    return 0, phases


def run(shape: Shape, folder: Path, rows: int, memory: int, models: Iterable[str]) -> None:
    """Do and keep every step, from an empty cache beside the log, which is removed at the end."""
    with empty_cache(folder.parent):
        _steps(shape, folder, rows, memory, models)


def _steps(shape: Shape, folder: Path, rows: int, memory: int, models: Iterable[str]) -> None:
    size = sum(path.stat().st_size for path in folder.iterdir())
    steps = {PREPARED: (prepare, ()), AGAIN: (prepare, ())} | {name: (fit, (name,)) for name in models}
    for step, (work, more) in steps.items():
        (spilled, phases), taken = measured(work, shape.name, folder, memory, *more)
        record = Record(
            shape=shape.name,
            rows=rows,
            step=step,
            taken=taken,
            memory=memory,
            bytes=size,
            phases=phases if step != AGAIN else {},
            spilled=spilled if step == PREPARED else 0,
            threads=compute.current().threads,
            processor=environment.hardware(),
            commit=environment.git_commit(),
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            settings=MODELS.get(step, {}),
        )
        name = step.replace(" ", "-")
        sealed.write(RECORDS / f"{shape.name}-{rows}-{name}.json", asdict(record))
        progress.say(f"{shape.name}, {rows:,} rows, {step}: {taken}")


def stored() -> list[Record]:
    """Every record, by shape, size and step."""
    found = [sealed.load(path, Record) for path in sorted(RECORDS.glob("*.json"))]
    steps = [PREPARED, AGAIN, *MODELS]
    return sorted(found, key=lambda each: (each.shape, each.rows, steps.index(each.step)))


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("steps", "conditions", "limits"), pages.NOT_MEASURED)
    header = ["log", "rows", "step", "limit", "seconds", "CPU s", "ns a row", "peak MiB", "anonymous MiB"]
    lines = [line for each in records for line in _lines(each)]
    machines = sorted({f"{each.processor}, {each.threads} threads" for each in records})
    return {
        "steps": markdown.table(lines, header, range(4, 9)),
        "conditions": f"{'; '.join(machines)}.",
        "limits": limits(records),
    }


def limits(records: list[Record]) -> str:
    """Where the memory of a machine ends, by the line through the smallest and the largest log of a shape."""
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for each in records:
        if each.step in MODELS:
            groups.setdefault((each.shape, each.step, _named(each)), []).append(each)
    rows = []
    for (shape, step, named), found in groups.items():
        small, large = found[0], found[-1]
        if small.rows == large.rows:
            continue
        slope = (large.taken.anonymous_mib - small.taken.anonymous_mib) / (large.rows - small.rows)
        base = large.taken.anonymous_mib - slope * large.rows
        most = f"{(MACHINE_MIB - base) / slope / 1e6:,.0f} million" if slope > 0 else "–"
        rows.append([SHAPES[shape].title, step + named, f"{slope * 2**20:,.0f}", most])
    header = ["log", "model", "bytes a row", f"rows at {MACHINE_MIB >> 10} GiB"]
    return markdown.table(rows, header, range(2, 4)) if rows else pages.NOT_MEASURED


def _named(record: Record) -> str:
    named = ", ".join(f"{key}={value}" for key, value in record.settings.items())
    return f" ({named})" if named else ""


def _lines(record: Record) -> list[list[str]]:
    log, rows, taken = SHAPES[record.shape].title, f"{record.rows:,}", record.taken
    step = record.step + _named(record)
    step += f", {record.spilled / 1e9:.1f} GB on disk meanwhile" if record.spilled else ""
    times = _times(taken.wall, taken.cpu, record.rows)
    memory = [f"{taken.resident_mib:,.0f}", f"{taken.anonymous_mib:,.0f}"]
    own = [log, rows, step, f"{record.memory / 1e9:g} GB", *times, *memory]
    phases = [
        ["", "", f"– {name}", "", *_times(wall, cpu, record.rows), "", ""]
        for name, (wall, cpu) in record.phases.items()
    ]
    return [own, *phases]


def _times(wall: float, cpu: float, rows: int) -> list[str]:
    return [f"{wall:,.1f}", f"{cpu:,.1f}", f"{wall / rows * 1e9:,.0f}"]


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Write, measure, fill the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.large_logs", description=__doc__)
    add = parser.add_argument
    add(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="for the log, which takes some GB",
    )
    add("--shape", choices=SHAPES, default="taobao")
    add("--rows", type=int, metavar="N", help="of the log (default: the official number)")
    add("--memory", type=limit.parse, default=limit.parse("4GB"), metavar="SIZE", help="default: 4GB")
    add("--models", type=command.names, default=[], metavar="A,B", help=f"of {', '.join(MODELS)}")
    add("--page-only", action="store_true", help="measure nothing, fill the page")
    options = parser.parse_args(arguments)
    if not options.page_only:
        if options.folder is None:
            raise InputError("give a FOLDER for the log, or --page-only")
        command.check("model of this study", options.models, MODELS)
        compute.configure("cpu", "fp32")
        shape = SHAPES[options.shape]
        rows = options.rows or shape.rows
        folder = options.folder / f"{shape.name}-{rows}"
        shape.keep(folder, rows)
        run(shape, folder, rows, options.memory, options.models)
    pages.fill(PAGE, tables(stored()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
