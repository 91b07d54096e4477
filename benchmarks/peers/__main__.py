"""`python -m benchmarks.peers --data-dir DIR`: measure all libraries, then fill docs/peers.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from retrieval_leaderboard.benchmarks.peers import table
from retrieval_leaderboard.benchmarks.peers.environments import ROOT, LeftOut, python_of
from retrieval_leaderboard.benchmarks.peers.measure import hand_over, machine, measured
from retrieval_leaderboard.benchmarks.peers.record import PeerRecord, write
from retrieval_leaderboard.benchmarks.peers.work import PEERS, WORK
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.support import pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.progress import say

RESULTS = Path(__file__).parent / "results"
PROTOCOLS = {"gowalla": None, "ml-1m": "leave-last-one"}


@in_one_sentence
def main() -> int:
    """Measure what is asked for, one process after the other, and fill the page from all records."""
    options = arguments()
    if not options.table_only:
        for name in options.datasets.split(","):
            dataset = load(name, options.data_dir, protocol=PROTOCOLS.get(name))
            with tempfile.TemporaryDirectory() as scratch:
                data = Path(scratch) / "data.npz"
                hand_over(dataset, data)
                compare(dataset, data, options)
    pages.fill(ROOT / "docs" / "peers.md", table.tables(RESULTS))
    return 0


def compare(dataset: Dataset, data: Path, options: argparse.Namespace) -> None:
    """One record for every library and piece of work on one dataset."""
    for name in options.work.split(","):
        peers = [peer for peer in WORK[name].peers if peer in options.peers.split(",")]
        for library in ["ours", *peers] if peers else []:
            record = PeerRecord(dataset.name, name, library, *machine())
            try:
                python = python_of(library, PEERS[library])
                costs = measured(python, library, WORK[name], data, dataset, options.limit)
                record = replace(record, **costs)
                result = f"fit {record.fit_seconds:.2f} s, rank {record.rank_seconds:.2f} s"
                result += f", Recall@20 {record.recall:.4f}"
            except LeftOut as why:
                result = str(why)
                record = replace(record, left_out=result)
            say(f"{dataset.name}, {name}, {library}: {result}")
            write(RESULTS, record)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    others = ",".join(name for name in PEERS if name != "ours")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="folder of the datasets")
    parser.add_argument("--datasets", default="gowalla,ml-1m", help="names, comma-separated")
    parser.add_argument("--peers", default=others, help=f"libraries, comma-separated, of {others}")
    parser.add_argument("--work", default=",".join(WORK), help="kinds of work, comma-separated")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that one process may take")
    parser.add_argument("--table-only", action="store_true", help="fill the page from the stored records")
    return parser.parse_args()


sys.exit(main())
