"""Whether two processes learn what one does, and what they send: `python -m benchmarks.torchrun`.

Trains small models by one process and by two, and 20 steps on gowalla; writes
`benchmarks/results/torchrun.json` and fills docs/torchrun.md from it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.torchrun.page import tables
from retrieval_leaderboard.support import compute, pages, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage.files import write_json
from retrieval_leaderboard.support.system import cores

RECORD = ROOT / "benchmarks" / "results" / "torchrun.json"
PAGE = ROOT / "docs" / "torchrun.md"
KINDS = ("replicated", "sharded")
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("infonce", "without neighbors", {"neighbors": 0}),
    ("infonce", "20 neighbors", {"neighbors": 20}),
    ("infonce", "MLP of 1024-512", {"neighbors": 0, "mlp": "1024-512"}),
)
"""Models, with which settings, whose steps are measured"""


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure, keep the record, fill the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torchrun", description=__doc__)
    add = parser.add_argument
    add("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="folder that has gowalla/")
    add("--page-only", action="store_true", help="measure nothing, fill the page")
    options = parser.parse_args(arguments)
    if not options.page_only:
        compute.configure("cpu", "fp32", threads=1)
        write_json(RECORD, measure(options.data_dir))
    pages.fill(PAGE, tables(stored()))
    return 0


def stored() -> dict[str, Any]:
    """The committed record."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def measure(data_dir: Path) -> dict[str, Any]:
    """The record."""
    import torch

    from retrieval_leaderboard.datasets import load
    from retrieval_leaderboard.evaluation.runs import environment

    progress.say("measuring: equality")
    found = {"equality": equality()}
    progress.say("measuring: steps")
    found["steps"] = steps(load("gowalla", data_dir).train)
    machine = {
        "name": DEVICES["cpu"].hardware(),
        "cores": cores.available(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "commit": environment.git_commit(),
    }
    return {"machine": machine} | found


def equality() -> list[dict[str, Any]]:
    """Of each case the largest differences between one process and two."""
    from retrieval_leaderboard.benchmarks.torchrun import equality
    from retrieval_leaderboard.benchmarks.torchrun.processes import in_ranks
    from retrieval_leaderboard.evaluation.planted import planted, weighted

    train, places = weighted(planted()).train_valid, range(len(equality.CASES))
    one = equality.trained_cases(places, train, "replicated")
    shared = {kind: in_ranks(equality.trained_cases, places, train, kind)[0] for kind in KINDS}
    return [
        {"model": case.model, "what": case.what}
        | {kind: equality.apart(one[place], shared[kind][place]) for kind in KINDS}
        for place, case in enumerate(equality.CASES)
    ]


def steps(train: Any) -> list[dict[str, Any]]:
    """Of each of `STEPS` what a step takes: alone, then by each of two processes."""
    from retrieval_leaderboard.benchmarks.torchrun.processes import in_ranks
    from retrieval_leaderboard.benchmarks.torchrun.traffic import measured

    return [
        {"model": model, "what": what, "one": [measured(model, settings, train, "replicated")]}
        | {kind: in_ranks(measured, model, settings, train, kind) for kind in KINDS}
        for model, what, settings in STEPS
    ]


if __name__ == "__main__":
    sys.exit(main())
