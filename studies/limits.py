"""Where the memory of a machine ends, and how near what is told comes to it: `python -m studies.limits`.

Measures each phase of a run on made-up logs of several sizes, each in a process of its own, and with
`--forecasts` what models say before they fit real datasets beside what the fits take. Keeps records in
`studies/records/`, of which `studies.scaling` fills docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command, forecasts
from retrieval_leaderboard.studies.phases import PHASES, Measured, measure
from retrieval_leaderboard.support import markdown, pages, progress
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "limits"
MACHINE_BYTES = 24 * 2**30
SIZES = (1_000_000, 3_000_000)


@dataclass(frozen=True)
class Record:
    """One phase at one size."""

    phase: str
    rows: int
    measured: Measured
    processor: str
    commit: str
    date: str
    schema: int = 1


@dataclass(frozen=True)
class Earlier:
    """What the phases took at an earlier state of the code."""

    bytes: dict[str, float]
    """phase → bytes a unit"""
    commit: str
    date: str
    schema: int = 1


def run(phase: str, rows: int) -> None:
    """Measure a phase in a fresh process and keep the record."""
    command = [sys.executable, "-m", "studies.limits", "--measure", phase, "--rows", str(rows)]
    environ = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}  # What is freed is given back.
    done = subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True)
    found = Measured(**json.loads(done.stdout.splitlines()[-1]))
    about = environment.hardware(), environment.git_commit(), datetime.now(UTC).strftime("%Y-%m-%d")
    name = f"{phase.replace(' ', '-')}-{rows}.json"
    sealed.write(RECORDS / name, asdict(Record(phase, rows, found, *about)))
    progress.say(f"{phase}, {rows:,} rows: {found}")


def stored() -> list[Record]:
    """Every record, by phase and size."""
    paths = [path for path in RECORDS.glob("*.json") if path.stem != "earlier"]
    known = list(PHASES)
    found = [sealed.load(path, Record) for path in paths]
    return sorted(found, key=lambda each: (known.index(each.phase), each.rows))


def slope(records: list[Record]) -> float:
    """Bytes a unit, by the line through the two largest sizes."""
    small, large = (each.measured for each in records[-2:])
    grown = (large.peak_mib - large.held_mib) - (small.peak_mib - small.held_mib)
    return grown * 2**20 / (large.units - small.units)


def tables() -> dict[str, str]:
    """The parts of the page."""
    records = stored()
    earlier = sealed.load(RECORDS / "earlier.json", Earlier)
    lines = []
    for phase, about in PHASES.items():
        found = [each for each in records if each.phase == phase]
        if len(found) > 1:
            lines.append([phase, *_cells(about.unit, earlier.bytes.get(phase), found), about.lifts])
    header = ["phase", "unit", "bytes before", "bytes", "forecast", "first limit", "what lifts it"]
    machines = sorted({each.processor for each in records})
    conditions = f"Before: commit {earlier.commit}. {'; '.join(machines)}, 1 thread."
    return {
        "limits": markdown.table(lines, header, range(2, 6)) if lines else pages.NOT_MEASURED,
        "limit conditions": conditions,
        **forecasts.tables(forecasts.stored()),
    }


def _cells(unit: str, before: float | None, records: list[Record]) -> list[str]:
    now, last = slope(records), records[-1].measured
    told = f"{last.told / last.units:,.0f}" if last.told else ""
    most = f"{MACHINE_BYTES / now / 1e6:,.0f} million" if now >= 1 else "–"
    return [unit, "" if before is None else f"{before:,.0f}", f"{now:,.0f}", told, most]


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure; `python -m studies.scaling --page-only` fills the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.limits", description=__doc__)
    add = parser.add_argument
    add("--phases", type=lambda text: text.split(","), default=[], metavar="A,B", help=", ".join(PHASES))
    add("--rows", type=int, nargs="+", default=SIZES, metavar="N")
    add("--forecasts", nargs="*", default=[], metavar="NAME[:SCALE]", help="datasets to fit")
    add(
        "--models",
        type=lambda text: text.split(","),
        default=[],
        metavar="A,B",
        help=", ".join(forecasts.MODELS),
    )
    add("--data-dir", type=Path, default=ROOT / "data", metavar="DIR")
    add("--measure", metavar="PHASE", help="measure one phase in this process and print it")
    options = parser.parse_args(arguments)
    command.check("phase", [*options.phases, *filter(None, [options.measure])], PHASES)
    command.check("model of this study", options.models, forecasts.MODELS)
    if options.measure:
        print(json.dumps(asdict(measure(options.measure, options.rows[0]))))
        return 0
    for phase in options.phases:
        for rows in options.rows:
            run(phase, rows)
    for name in options.forecasts:
        forecasts.run(name, options.data_dir, options.models)
    return 0


if __name__ == "__main__":
    sys.exit(main())
