"""Our metrics beside those of other libraries, on the same lists: `python -m studies.metric_definitions`.

Measures with ranx, ir_measures and pytrec_eval (of the `test` extra), and by the definitions of RecBole,
RecTools and Spark, written down here from their sources. Keeps a record in `studies/records/` and fills
docs/metrics.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.measure import PER_QUERY, mean, per_query
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.errors import in_one_sentence, need
from retrieval_leaderboard.support.storage import sealed

PAGE, MARK = ROOT / "docs" / "metrics.md", "other libraries"
RECORD = Path(__file__).parent / "records" / "metric_definitions.json"
OURS = "here"
K, QUERIES, ITEMS = 20, 400, 500
SAME = 1e-6
"""Means that differ by less are equal but for rounding"""

Lists = list[list[int]]
Means = dict[str, float]
"""Our name of a metric → the mean over queries"""


@dataclass(frozen=True)
class Record:
    """What all libraries gave for the sample."""

    means: dict[str, Means]
    """Library, ours first → its means"""
    versions: dict[str, str]
    """Of the libraries that measured"""
    schema: int = 1


TREC = {"precision": "P_20", "recall": "recall_20", "map": "map_cut_20", "ndcg": "ndcg_cut_20",
        "hitrate": "success_20", "mrr": "recip_rank"}  # fmt: skip
RANX = {"precision": "precision@20", "recall": "recall@20", "map": "map@20", "ndcg": "ndcg@20",
        "hitrate": "hit_rate@20", "mrr": "mrr@20"}  # fmt: skip
IR_MEASURES = {"precision": "P@20", "recall": "R@20", "map": "AP@20", "ndcg": "nDCG@20",
               "hitrate": "Success@20", "mrr": "RR@20"}  # fmt: skip
WHY = {
    "map": "trec_eval, ir_measures, ranx and RecTools divide by rel, not by min(rel, k)",
    "ndcg": "RecTools divides by the DCG of k hits, also where rel is smaller, unless `divide_by_achievable` "
    "is set: with one relevant item and k = 10 by default its NDCG is 22 % of ours",
}
"""Why a metric of ours differs from that of some library"""


def sample() -> tuple[Lists, Lists]:
    """Lists, some short or empty, and relevant items, some more than k, of the same queries."""
    rng = np.random.default_rng(0)
    lists = [
        rng.permutation(ITEMS)[: rng.choice([0, 7, K], p=[0.05, 0.15, 0.8])].tolist() for _ in range(QUERIES)
    ]
    sizes = rng.geometric(0.08, QUERIES).clip(max=60)
    relevant = []
    for row, size in zip(lists, sizes, strict=True):
        likely = np.full(ITEMS, 1.0)
        likely[row] = 12.0
        relevant.append(rng.choice(ITEMS, size, replace=False, p=likely / likely.sum()).tolist())
    return lists, relevant


def ours(lists: Lists, relevant: Lists) -> Means:
    """Of this suite."""
    items = np.full((len(lists), K), -1, dtype=np.int32)
    for query, row in enumerate(lists):
        items[query, : len(row)] = row
    return mean(per_query(items, Ragged.from_rows(relevant), K))


def spark(lists: Lists, relevant: Lists) -> Means:
    """As RankingMetrics of Spark's mllib, which has no HitRate and no reciprocal rank."""
    found: dict[str, list[float]] = {"precision": [], "recall": [], "map": [], "ndcg": []}
    for row, labels in zip(lists, map(set, relevant), strict=True):
        hits, precisions, gain, best = 0, 0.0, 0.0, 0.0
        for place in range(min(max(len(row), len(labels)), K)):
            discount = 1 / np.log(place + 2)
            if place < len(labels):
                best += discount
            if place < len(row) and row[place] in labels:
                hits += 1
                precisions += hits / (place + 1)
                gain += discount
        found["precision"].append(hits / K)
        found["recall"].append(hits / len(labels))
        found["map"].append(precisions / min(len(labels), K))
        found["ndcg"].append(gain / best)
    return {name: float(np.mean(values)) for name, values in found.items()}


def recbole(lists: Lists, relevant: Lists) -> Means:
    """As recbole.evaluator.metrics: cumulated over all lengths up to k, of which the last is taken."""
    hit = _hits(lists, relevant)
    sizes, ranks = np.array([len(labels) for labels in relevant]), np.arange(1, K + 1)
    dcg = np.cumsum(np.where(hit, 1 / np.log2(ranks + 1), 0), axis=1)
    ideal = np.cumsum(1 / np.log2(ranks + 1))[np.minimum(sizes, K) - 1]
    precisions = hit.cumsum(axis=1) / ranks
    first = hit.argmax(axis=1)
    values = {
        "precision": precisions[:, -1],
        "recall": hit.sum(axis=1) / sizes,
        "map": np.cumsum(precisions * hit, axis=1)[:, -1] / np.minimum(sizes, K),
        "ndcg": dcg[:, -1] / ideal,
        "hitrate": hit.any(axis=1).astype(float),
        "mrr": np.where(hit.any(axis=1), 1 / (first + 1), 0.0),
    }
    return {name: float(each.mean()) for name, each in values.items()}


def rectools(lists: Lists, relevant: Lists) -> Means:
    """As rectools.metrics by its defaults: NDCG over the DCG of K hits, MAP over the relevant items."""
    hit, ranks = _hits(lists, relevant), np.arange(1, K + 1)
    discounts, precisions = 1 / np.log2(ranks + 1), hit.cumsum(axis=1) / ranks
    same = recbole(lists, relevant)
    return same | {
        "map": float(np.mean((precisions * hit).sum(axis=1) / [len(labels) for labels in relevant])),
        "ndcg": float(np.mean(hit @ discounts / discounts.sum())),
    }


def _hits(lists: Lists, relevant: Lists) -> npt.NDArray[np.bool_]:
    """bool[queries, K]: whether the item at a place is relevant."""
    hit = np.zeros((len(lists), K), dtype=np.bool_)
    for query, (row, labels) in enumerate(zip(lists, relevant, strict=True)):
        hit[query, : len(row)] = np.isin(row, labels)
    return hit


def _judged(relevant: Lists) -> dict[str, dict[str, int]]:
    return {str(query): {str(item): 1 for item in labels} for query, labels in enumerate(relevant)}


def _scored(lists: Lists) -> dict[str, dict[str, float]]:
    return {
        str(query): {str(item): float(K - at) for at, item in enumerate(row)}
        for query, row in enumerate(lists)
    }


def trec_eval(lists: Lists, relevant: Lists) -> Means:
    """By pytrec_eval, trec_eval's own code; queries without a list count as 0."""
    import pytrec_eval

    measures = {name.replace("_20", ".20") for name in TREC.values()}
    found = pytrec_eval.RelevanceEvaluator(_judged(relevant), measures).evaluate(_scored(lists))
    return {
        name: sum(values[theirs] for values in found.values()) / len(relevant)
        for name, theirs in TREC.items()
    }


def ir_measures(lists: Lists, relevant: Lists) -> Means:
    """By ir_measures."""
    import ir_measures as library

    measures = {name: library.parse_measure(text) for name, text in IR_MEASURES.items()}
    found = library.calc_aggregate(list(measures.values()), _judged(relevant), _scored(lists))
    return {name: float(found[measure]) for name, measure in measures.items()}


def ranx(lists: Lists, relevant: Lists) -> Means:
    """By ranx, told to take queries without a list for misses."""
    import ranx as library

    found = library.evaluate(
        library.Qrels(_judged(relevant)),
        library.Run(_scored(lists)),
        list(RANX.values()),
        make_comparable=True,
    )
    return {name: float(found[theirs]) for name, theirs in RANX.items()}


LIBRARIES: Mapping[str, Callable[[Lists, Lists], Means]] = {
    "RecBole": recbole,
    "RecTools": rectools,
    "Spark": spark,
    "trec_eval": trec_eval,
    "ir_measures": ir_measures,
    "ranx": ranx,
}


def measure() -> Record:
    """By every library."""
    need(["pytrec_eval", "ir_measures", "ranx"], "requirements-test.lock")
    lists, relevant = sample()
    found = {name: library(lists, relevant) for name, library in {OURS: ours, **LIBRARIES}.items()}
    return Record(found, {name: version(name) for name in ("pytrec_eval-terrier", "ir-measures", "ranx")})


def tables(record: Record) -> dict[str, str]:
    """The page's part: a row a metric, ours first; what differs in bold, with the reason and the versions."""
    known = record.means[OURS]
    rows = [
        [PER_QUERY[name].title, *(_cell(means, name, known) for means in record.means.values())]
        for name in known
    ]
    reasons = [f"- **{PER_QUERY[name].title}**: {why}.\n" for name, why in WHY.items()]
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    header = [f"@{K}", *record.means]
    text = markdown.table(rows, header, numbers=range(1, len(header)))
    return {MARK: f"{text}\n\n{''.join(reasons)}- {versions}\n"}


def _cell(means: Means, name: str, known: Means) -> str:
    if name not in means:
        return "–"
    text = f"{means[name]:.6f}"
    return text if equal(means[name], known[name]) else f"**{text}**"


def equal(theirs: float, known: float) -> bool:
    """Whether two means are the same but for rounding."""
    return abs(theirs - known) <= SAME


def stored() -> Record:
    """What was measured last; DamagedError as `sealed.load`."""
    return sealed.load(RECORD, Record)


@in_one_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0: done, 2: bad input."""
    parser = argparse.ArgumentParser(prog="python -m studies.metric_definitions", description=__doc__)
    parser.add_argument("--page-only", action="store_true", help="measure nothing, fill the page")
    if not parser.parse_args(arguments).page_only:
        sealed.write(RECORD, asdict(measure()))
    pages.fill(PAGE, tables(stored()))
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
