"""What ranking very many queries takes: `python -m studies.many_queries FOLDER`.

Ranks a sample of queries against a catalog of millions of items, lists streamed to Parquet in FOLDER, and
times the bare matrix product of the same sizes beside it. Keeps a record in `studies/records/many_queries/`
and fills docs/many-queries.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.engines.local import in_threads
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.evaluation.ranking.streamed import write_lists
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies.measured import Taken, measured
from retrieval_leaderboard.support import compute, markdown, pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "many_queries"
PAGE = ROOT / "docs" / "many-queries.md"
ALL = 1_000_000
"""Queries that the time is extrapolated to"""
LENGTH, EXCLUDED = 20, 100
"""Of a list, and of what a query may not be answered with"""


@dataclass(frozen=True)
class Record:
    """One measurement."""

    queries: int
    items: int
    dimensions: int
    ranking: Taken
    """Lists written included"""
    product: Taken
    """The bare matrix product in float32, nothing taken from it"""
    threads: int
    processor: str
    commit: str
    date: str
    schema: int = 1


def vectors(n: int, dimensions: int, seed: int) -> np.ndarray:
    """float32[n, dimensions]."""
    return np.random.default_rng(seed).standard_normal((n, dimensions), dtype=np.float32)


def rank(folder: Path, queries: int, items: int, dimensions: int) -> float:
    """Seconds that ranking and writing take."""
    compute.configure("cpu", "fp32")
    drawn = np.random.default_rng(2).integers(0, items, (queries, EXCLUDED), dtype=np.int32)
    exclude = Ragged.from_offsets(drawn.ravel(), np.arange(queries + 1) * EXCLUDED)
    asked, catalog = vectors(queries, dimensions, 0), vectors(items, dimensions, 1)
    write_lists(folder / "warm.parquet", asked[:2], catalog[:1000], Ragged.empty(2), LENGTH)
    started = time.perf_counter()
    write_lists(folder / "lists.parquet", asked, catalog, exclude, LENGTH)
    return time.perf_counter() - started


def multiply(queries: int, items: int, dimensions: int) -> float:
    """Seconds that the products alone take, in blocks and threads as ranking has them."""
    compute.configure("cpu", "fp32")
    asked, catalog = vectors(queries, dimensions, 0), vectors(items, dimensions, 1)

    def work(start: int, stop: int) -> None:
        product = np.empty((stop - start) * topk.BLOCK_ITEMS, np.float32)
        for first in range(0, items, topk.BLOCK_ITEMS):
            part = catalog[first : first + topk.BLOCK_ITEMS]
            block = product[: (stop - start) * len(part)].reshape(stop - start, len(part))
            np.matmul(asked[start:stop], part.T, out=block)

    started = time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        for _ in in_threads(work, queries, topk.BLOCK_QUERIES):
            pass
    return time.perf_counter() - started


def measure(folder: Path, queries: int, items: int, dimensions: int) -> Record:
    """Both, each in a process of its own; seconds of the clock are those of the work without its data."""
    ranked, ranking = measured(rank, folder, queries, items, dimensions)
    multiplied, product = measured(multiply, queries, items, dimensions)
    return Record(
        queries=queries,
        items=items,
        dimensions=dimensions,
        ranking=Taken(**asdict(ranking) | {"wall": round(ranked, 2)}),
        product=Taken(**asdict(product) | {"wall": round(multiplied, 2)}),
        threads=compute.current().threads,
        processor=environment.hardware(),
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def stored() -> list[Record]:
    """Every record, by size."""
    found = [sealed.load(path, Record) for path in RECORDS.glob("*.json")]
    return sorted(found, key=lambda each: (each.items, each.queries))


def tables(records: list[Record]) -> dict[str, str]:
    """The part of the page."""
    if not records:
        return {"ranking": pages.NOT_MEASURED}
    header = [
        *("queries", "items", "dimensions", "ranked, s", "product, s", "ms a query", "peak MiB"),
        f"{ALL:,} queries, extrapolated",
    ]
    lines = []
    for each in records:
        one = each.ranking.wall / each.queries
        cells = [f"{each.queries:,}", f"{each.items:,}", each.dimensions, f"{each.ranking.wall:,.1f}"]
        cells += [f"{each.product.wall:,.1f}", f"{one * 1e3:.2f}", f"{each.ranking.resident_mib:,.0f}"]
        lines.append([*cells, f"{one * ALL / 3600:.1f} h"])
    machines = sorted({f"{each.processor}, {each.threads} threads" for each in records})
    return {"ranking": f"{markdown.table(lines, header, range(8))}\n\n{'; '.join(machines)}."}


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and fill the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.many_queries", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="for the lists")
    add("--queries", type=int, default=5000, metavar="N")
    add("--items", type=int, default=4_000_000, metavar="N")
    add("--dimensions", type=int, default=64, metavar="N")
    options = parser.parse_args(arguments)
    compute.configure("cpu", "fp32")
    found = measure(options.folder, options.queries, options.items, options.dimensions)
    name = f"{found.queries}-{found.items}-{found.dimensions}.json"
    sealed.write(RECORDS / name, asdict(found))
    pages.fill(PAGE, tables(stored()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
