"""`python -m benchmarks.serving load | memory | security | page`: measure it; fill docs/serving.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from retrieval_leaderboard.benchmarks.serving import page, record
from retrieval_leaderboard.serving.http import PACKAGES
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import in_one_sentence, need
from retrieval_leaderboard.support.numbers import within


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0: done, 1: a service did not hold, 2: bad input, 130: stopped."""
    options = parser().parse_args(arguments)
    try:
        return options.work(options) or 0
    except KeyboardInterrupt:
        return 130


def _load(options: argparse.Namespace) -> None:
    need(PACKAGES, "requirements-serve.lock")
    from retrieval_leaderboard.benchmarks.serving.load import measure

    compute.configure("cpu", "fp32")
    found = measure(options.bundle, options.requests, options.concurrency)
    print(json.dumps(asdict(found), indent=1))
    if options.out:
        record.write(options.out, found)


def _memory(options: argparse.Namespace) -> None:
    need(PACKAGES, "requirements-serve.lock")
    from retrieval_leaderboard.benchmarks.serving.memory import measure

    found = measure(options.bundle, options.workers)
    print(page.taken(found))
    if options.save:
        record.write(page.MEMORY, found)
        page.fill()


def _security(options: argparse.Namespace) -> int:
    """1 where something did not end as it should."""
    need(PACKAGES, "requirements-serve.lock")
    from retrieval_leaderboard.benchmarks.serving.security.measure import measure

    with tempfile.TemporaryDirectory(prefix="security-") as scratch:
        found = measure(options.seed, options.examples, options.kills, Path(scratch))
    print(page.security(found))
    if options.save:
        record.write(page.SECURITY, found)
        page.fill()
    return 1 if found.broken else 0


def parser() -> argparse.ArgumentParser:
    """Of all its words."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    commands = found.add_subparsers(dest="command", required=True)
    load = commands.add_parser(
        "load",
        help="measure the HTTP service on this machine",
        description="Serves a bundle, asks it and an echo of the same bodies in turn, and prints the record.",
    )
    load.add_argument("--bundle", type=Path, required=True, metavar="DIR")
    load.add_argument("--requests", type=within(1, 100_000), default=2000, metavar="N")
    load.add_argument("--concurrency", type=within(1, 256), default=16, metavar="C")
    load.add_argument("--out", type=Path, metavar="FILE", help="keep the record as JSON")
    load.set_defaults(work=_load)
    memory = commands.add_parser(
        "memory",
        help="measure what several processes of a service take",
        description="Serves a bundle by each number of processes and measures what they take of memory.",
    )
    memory.add_argument("--bundle", type=Path, required=True, metavar="DIR")
    memory.add_argument("--workers", type=within(1, 64), nargs="+", default=[1, 4], metavar="N")
    memory.add_argument("--save", action="store_true", help="keep the record and fill docs/serving.md")
    memory.set_defaults(work=_memory)
    security = commands.add_parser(
        "security",
        help="let hostile clients at a service of its own",
        description="Makes a small bundle, serves it, and lets clients at it that mean harm or have bugs. "
        "Exit codes: 0 all ended as it should, 1 something did not, 2 bad input.",
    )
    security.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    security.add_argument("--examples", type=within(1, 100_000), default=20, metavar="N",
                          help="requests that schemathesis may make up for each path")  # fmt: skip
    security.add_argument("--kills", type=within(1, 1000), default=3, metavar="N",
                          help="how often a service is killed while items are added")  # fmt: skip
    security.add_argument("--save", action="store_true", help="keep the record and fill docs/serving.md")
    security.set_defaults(work=_security)
    filled = commands.add_parser(
        "page",
        help="fill docs/serving.md",
        description="Fills the tables of docs/serving.md from stored records.",
    )
    filled.set_defaults(work=lambda options: page.fill())
    return found


if __name__ == "__main__":
    sys.exit(main())
