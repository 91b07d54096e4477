"""What the order of ties is worth to a model of sequences: `python -m studies.order_of_ties`.

A Markov chain of first order, which knows nothing but what came last, is scored by each user's last item
while ties stand in several orders. Keeps a record in `studies/records/order_of_ties/` and fills
docs/order-of-ties.md, beside the rows of `results/` that differ in the order alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Interactions, Queries
from retrieval_leaderboard.datasets.log import ROWS, Log
from retrieval_leaderboard.datasets.prepared.loading import Means, as_log
from retrieval_leaderboard.datasets.profiling import profile_of
from retrieval_leaderboard.datasets.sources import folders
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits.order import SOURCE
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.ranking.ties import rank
from retrieval_leaderboard.evaluation.reports.board import Board, read_boards
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.studies import command
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.errors import InputError, in_one_sentence
from retrieval_leaderboard.support.storage import sealed

RECORDS = Path(__file__).parent / "records" / "order_of_ties"
PAGE = ROOT / "docs" / "order-of-ties.md"
DATASETS = ("ml-1m", "ml-100k")
PROTOCOL = "leave-last-one"
K = 10
SHRINKAGE = 5.0

Rows = npt.NDArray[np.int64]
DRAWN = "drawn"
ORDERS: dict[str, Callable[[Log, np.random.Generator], Rows]] = {
    DRAWN: lambda log, rng: rng.permutation(len(log.user)),
    "as in the source": lambda log, rng: np.arange(len(log.user)),
    "as in the source, backward": lambda log, rng: np.arange(len(log.user))[::-1],
    "by item id": lambda log, rng: np.argsort(
        np.asarray(log.item_ids)[log.item].astype(np.int64), kind="stable"
    ),
    "by one order of all items, drawn": lambda log, rng: np.argsort(
        rng.permutation(len(log.item_ids))[log.item]
    ),
}
"""In words → the rows of a log in that order"""
BY_CHANCE = (DRAWN, "by one order of all items, drawn")
SEEDS = 8
"""Of the orders that are drawn"""


@dataclass(frozen=True)
class Record:
    """One dataset."""

    dataset: str
    tied: float
    """Share of the interactions that share their time with another of the same user"""
    ndcg: dict[str, list[float]]
    """Order of ties → NDCG@K of the chain, of each seed"""
    commit: str
    date: str
    schema: int = 1


def run(name: str, data_dir: Path) -> Record:
    """Score the chain by every order of ties.

    Raises:
        InputError: a dataset that the study does not have, or whose files are not there.
    """
    command.check("dataset of this study", [name], DATASETS)
    folder = folders.find(SOURCES[name], data_dir)
    if folder is None:
        raise InputError(f"{name} is not in {data_dir}; give the folder that it is in by --data-dir")
    log = as_log(SOURCES[name].read(folder), [folder], Means())
    found = {words: _scored(log, words) for words in ORDERS}
    return Record(
        dataset=name,
        tied=round(profile_of(log, split(log, PROTOCOL, True, 0), "").tied, 4),
        ndcg={words: [round(one, 6) for one in each] for words, each in found.items()},
        commit=environment.git_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def reordered(log: Log, rows: Rows) -> Log:
    """The log with its rows in that order, and its ties by it."""
    columns = {name: getattr(log, name) for name in ROWS}
    taken = {name: each[rows] for name, each in columns.items() if each is not None}
    return replace(log, **taken, ties=SOURCE, ordered=True)


def _scored(log: Log, words: str) -> list[float]:
    """NDCG@K of each seed that the order is drawn by."""
    found = []
    for seed in range(SEEDS if words in BY_CHANCE else 1):
        rows = ORDERS[words](log, np.random.default_rng(seed))
        dataset = split(reordered(log, rows), PROTOCOL, exclude_seen=True, split_seed=0)
        lists = recommend(chain(dataset.train_valid), dataset.test, K)
        found.append(measure.mean(measure.per_query(lists, dataset.test.relevant, K))["ndcg"])
    return found


def chain(train: Interactions) -> csr_array:
    """float64[n_items, n_items]: how often item j came right after i, over the root of j's interactions."""
    after = train.user[1:] == train.user[:-1]
    pairs = train.item[:-1][after], train.item[1:][after]
    shape = (train.n_items, train.n_items)
    counts = csr_array((np.ones(len(pairs[0])), pairs), shape=shape)
    return counts.multiply(1 / (np.sqrt(train.item_counts) + SHRINKAGE)[None, :]).tocsr()


def recommend(steps: csr_array, queries: Queries, k: int) -> npt.NDArray[np.int32]:
    """int32[q, k]: what comes most likely after the last item of each history."""
    items = np.arange(steps.shape[1])
    shuffled = rank(items)
    lists = np.empty((len(queries), k), np.int32)
    for at in range(len(queries)):
        scores = steps[[queries.history[at][-1]]].toarray()[0]
        scores[queries.exclude[at]] = -np.inf
        lists[at] = np.lexsort((shuffled, -scores))[:k]
    return lists


def stored() -> list[Record]:
    """Every record, by dataset."""
    return [sealed.load(path, Record) for path in sorted(RECORDS.glob("*.json"))]


def tables(records: list[Record], results: Path) -> dict[str, str]:
    """Mark → Markdown."""
    return {"chain": _chains(records), "rows": _rows(results)}


def _chains(records: list[Record]) -> str:
    if not records:
        return pages.NOT_MEASURED
    header = ["dataset", "tied interactions", "order of ties", f"NDCG@{K}", "change from drawn"]
    lines = [[each.dataset, f"{each.tied:.0%}", *cells] for each in records for cells in _orders(each)]
    about = sorted({f"commit {each.commit}, {each.date}" for each in records})
    seeds = f"±: standard deviation over {SEEDS} seeds"
    return f"{markdown.table(lines, header, (1, 3, 4))}\n\n{seeds}; {'; '.join(about)}."


def _orders(record: Record) -> Iterator[list[str]]:
    for words, ndcg in record.ndcg.items():
        change = "" if words == DRAWN else f"{mean(ndcg) / mean(record.ndcg[DRAWN]) - 1:+.0%}"
        spread = f" ± {stdev(ndcg):.4f}" if len(ndcg) > 1 else ""
        yield [words, f"{mean(ndcg):.4f}{spread}", change]


def _rows(results: Path) -> str:
    lines = [line for name in DATASETS for line in _compared(results / name)]
    header = [
        "board",
        "model",
        "settings, ties as in the source",
        "NDCG, ties drawn",
        "NDCG, ties as in the source",
        "change",
    ]
    return markdown.table(lines, header, (3, 4, 5)) if lines else pages.NOT_MEASURED


def _compared(folder: Path) -> Iterator[list[str]]:
    """A line for each row of two boards that differ in the order of ties alone, by the first split seed."""
    boards = [family[0] for family in read_boards(folder)]
    drawn = {_task(board): board for board in boards if board.dataset.ties != SOURCE}
    for source in boards:
        if source.dataset.ties == SOURCE and _task(source) in drawn:
            yield from _lines(drawn[_task(source)], source)


def _task(board: Board) -> tuple[str, str, bool, int]:
    """What two boards that differ in ties alone have in common."""
    about = board.dataset
    return about.title, about.protocol, about.exclude_seen, board.k


def _lines(drawn: Board, source: Board) -> Iterator[list[str]]:
    for row in sorted((row for row in source.rows if row.done), key=lambda row: -row.mean("ndcg")):
        for other in drawn.rows:
            if other.done and (other.model, other.settings) == (row.model, row.settings):
                one, two = other.mean("ndcg"), row.mean("ndcg")
                cells = f"{one:.4f}", f"{two:.4f}", f"{two / one - 1:+.0%}"
                yield [drawn.heading, row.model, row.provenance.brief, *cells]


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure and fill the page."""
    parser = command.parser("order_of_ties", __doc__, DATASETS)
    options = command.quietly(parser, arguments)
    for name in [] if options.page_only else options.datasets:
        sealed.write(RECORDS / f"{name}.json", asdict(run(name, options.data_dir)))
    pages.fill(PAGE, tables(stored(), ROOT / "results"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
