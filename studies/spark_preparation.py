"""What preparing a log takes in memory, by DuckDB and on Spark: `python -m studies.spark_preparation FOLDER`.

Writes made-up logs in the layout of Taobao UserBehavior to FOLDER, prepares and splits each by all three, in
a process of its own, checks that they give one fingerprint, and keeps a record of each in
`studies/records/spark_preparation/`, which `studies.spark_page` brings to docs/spark.md. Seconds are of
processors, and memory is anonymous: of this process and all that it started, Spark's included.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.prepared.dataset_folder import divided
from retrieval_leaderboard.datasets.prepared.loading import Means, as_log
from retrieval_leaderboard.datasets.profiling import with_profile
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.studies.measured import empty_cache, peak_of
from retrieval_leaderboard.studies.official_shapes import SHAPES
from retrieval_leaderboard.studies.processes import anonymous_mib, processor_seconds
from retrieval_leaderboard.studies.shuffled import shuffled_bytes
from retrieval_leaderboard.support import markdown, pages, spark
from retrieval_leaderboard.support.errors import InputError, in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "spark_preparation"
SHAPE = SHAPES["taobao"]
ROWS = (1_000_000, 4_000_000)
PROTOCOL = "time"
LIMIT = 10**9
"""Bytes that DuckDB may take, and a task of the split on Spark"""
SPARK = "Spark"
MEANS = {"in memory": Means(), "DuckDB": Means(LIMIT), SPARK: Means(LIMIT, on_spark=True)}
SIZES = (1_000_000_000, 10_000_000_000)
"""Rows that the growth is computed for"""
LOOK_SECONDS = 0.1
Made = TypeVar("Made")


@dataclass(frozen=True)
class Step:
    """What a step took."""

    seconds: float
    """Of processors"""
    mib: float
    """At its peak, with what was held before"""
    shuffled: int
    """Bytes that Spark wrote for other tasks"""


@dataclass(frozen=True)
class Record:
    """One log by one of `MEANS`."""

    rows: int
    means: str
    master: str
    """Of Spark, and "" without"""
    session: float
    """Seconds of processors until Spark's session was there"""
    read: Step
    reading: float
    """Seconds of the one thread that reads, of those of `read`; 0 in memory, where it is not told apart"""
    split: Step
    fingerprint: str
    processor: str
    commit: str
    date: str
    schema: int = 1


def measure(folder: Path, rows: int, name: str, master: str) -> Record:
    """A log in `folder` by one of `MEANS`, in this process; on Spark a session is started and stopped."""
    means, before = MEANS[name], processor_seconds()
    if means.on_spark:
        spark.session(master)
    session = processor_seconds() - before
    log, read = _step(lambda: as_log(SHAPE.read(folder), [folder], means), means)
    dataset, parted = _step(lambda: _divided(log, means), means)
    spark.stop()
    return Record(
        rows=rows,
        means=name,
        master=master if means.on_spark else "",
        session=round(session, 2),
        read=read,
        reading=_reading(log),
        split=parted,
        fingerprint=dataset.fingerprint,
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def _divided(log: Log, means: Means) -> Dataset:
    """With its profile and its fingerprint."""
    chosen = "as asked for"
    if means.limit is None:
        found = with_profile(log, split(log, PROTOCOL, True, 0), chosen)
    else:
        found = divided(log, PROTOCOL, True, 0, chosen, on_spark=means.on_spark)
    assert found.fingerprint
    return found


def _step(work: Callable[[], Made], means: Means) -> tuple[Made, Step]:
    shuffled, before = _shuffled(means), processor_seconds()
    with peak_of(anonymous_mib, LOOK_SECONDS) as peak:
        found = work()
    seconds = processor_seconds() - before
    return found, Step(round(seconds, 2), round(peak[0], 1), _shuffled(means) - shuffled)


def _shuffled(means: Means) -> int:
    return shuffled_bytes() if means.on_spark else 0


def _reading(log: Log) -> float:
    if log.by_user is None or log.by_user.folder is None:
        return 0.0
    return float(sealed.read(log.by_user.folder / "manifest.json")["cpu_seconds"]["reading"])


def run(folder: Path, rows: int, master: str) -> list[Record]:
    """A log of so many rows by all of `MEANS`; InputError where they give different datasets."""
    log = folder / f"{SHAPE.name}-{rows}"
    SHAPE.keep(log, rows)
    found = []
    for name in MEANS:
        with empty_cache(folder):
            found.append(isolation.call(measure, log, rows, name, master))
    if len({each.fingerprint for each in found}) > 1:
        raise InputError(f"{log}: {', '.join(MEANS)} give different datasets: report it with this folder")
    return found


def stored() -> list[Record]:
    """Every record, by rows, in the order of `MEANS`."""
    found = [sealed.load(path, Record) for path in RECORDS.glob("*.json")]
    return sorted(found, key=lambda each: (each.rows, [*MEANS].index(each.means)))


def tables(records: list[Record]) -> dict[str, str]:
    """The parts of the page."""
    if not records:
        return dict.fromkeys(("preparation", "preparation growth"), pages.NOT_MEASURED)
    header = ["rows", "step", "by", "CPU s", "peak MiB", "shuffled MB"]
    steps = {"read, code, sort": "read", f"split by `{PROTOCOL}`, profile, fingerprint": "split"}
    lines = [
        [f"{each.rows:,}", label, each.means, *_cells(each, getattr(each, name))]
        for label, name in steps.items()
        for each in records
    ]
    there = [each for each in records if each.means == SPARK]
    about = sorted({f"{each.processor}, commit {each.commit}, {each.date}" for each in records})
    sessions = ", ".join(f"{each.session:.1f}" for each in there)
    masters = ", ".join(sorted({f"`{each.master}`" for each in there}))
    shown = markdown.table(lines, header, range(3, 6))
    conditions = (
        f"Spark on {masters}; its session took another {sessions} CPU seconds before. {'; '.join(about)}."
    )
    return {"preparation": f"{shown}\n\n{conditions}", "preparation growth": _growth(there)}


def _cells(record: Record, step: Step) -> list[str]:
    shuffled = f"{step.shuffled / 1e6:,.0f}" if record.means == SPARK else ""
    return [f"{step.seconds:,.1f}", f"{step.mib:,.0f}", shuffled]


def _growth(records: list[Record]) -> str:
    """By the line through the smallest and the largest log."""
    if len(records) < 2:
        return pages.NOT_MEASURED
    small, large = records[0], records[-1]
    figures: dict[str, tuple[Callable[[Record], float], float]] = {
        "read, code, sort: CPU hours": (lambda each: each.read.seconds, 3600),
        "of these one thread of the driver, reading": (lambda each: each.reading, 3600),
        "split: CPU hours": (lambda each: each.split.seconds, 3600),
        "shuffled, GB": (lambda each: each.read.shuffled + each.split.shuffled, 1e9),
    }

    def at(rows: int, of: Callable[[Record], float]) -> float:
        slope = (of(large) - of(small)) / (large.rows - small.rows)
        return of(large) + slope * (rows - large.rows)

    lines = [
        [f"{rows:,}", *(f"{at(rows, of) / unit:,.1f}" for of, unit in figures.values()), f"{LIMIT / 1e9:g}"]
        for rows in SIZES
    ]
    header = ["rows", *figures, "memory of a task of the split, GB"]
    return markdown.table(lines, header, range(1, len(header)))


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and keep the records."""
    parser = argparse.ArgumentParser(prog="python -m studies.spark_preparation", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="for the logs, and a cache meanwhile")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, metavar="N", help="of the logs")
    command.add_master(parser)
    options = command.quietly(parser, arguments)
    for rows in options.rows:
        for each in run(options.folder.resolve(), rows, options.master):
            name = each.means.replace(" ", "-").lower()
            sealed.write(RECORDS / f"{rows}-{name}.json", asdict(each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
