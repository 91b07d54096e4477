"""What features of one's own are worth by default: `python -m studies.own_features --data-dir DIR`.

Writes a log, a table of items and vectors as a user would bring them, scores InfoNCE on the validation part
with ids alone, by default and with `features=true`, three seeds each, and keeps the scores in
`studies/records/own_features/`. `python -m studies.cold_start` fills the page from them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.studies import command, scores
from retrieval_leaderboard.studies.ablations import PLAIN
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.support import compute, markdown, pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.progress import say

RECORDS = Path(__file__).parent / "records" / "own_features"
MODEL, SEEDS, K = "infonce", 3, 20
PROTOCOLS = ("time", "next-item")
USERS, ITEMS, CATEGORIES, BRANDS_EACH, WIDTH = 2000, 6000, 50, 6, 64
INTERACTIONS, LIKED, LOYAL = 8, 3, 0.8
"""Of a user on average; brands that a user likes; share of the interactions that are with these"""


@dataclass(frozen=True)
class Row:
    """What is scored: a dataset's features, and settings."""

    dataset: str
    features: str
    settings: dict[str, Any]
    protocols: tuple[str, ...] = PROTOCOLS


BY_DEFAULT = {"features": "auto", "id_dropout": "auto"}
WITH = {"features": True, "neighbors": 0}
ROWS = (
    Row("shop with categories", "none: ids alone", {}),
    Row("shop with categories", "category and brand, by default", BY_DEFAULT),
    Row("shop with categories", "category and brand", WITH),
    Row("shop with categories", "category and brand, without the deep part", WITH | {"mlp": ""}, ("time",)),
    Row("shop with vectors", "a vector, by default", BY_DEFAULT),
    Row("shop with vectors", "a vector", WITH),
    Row("shop with vectors", "a vector, without the deep part", WITH | {"mlp": ""}, ("time",)),
    Row("shop with both", "category, brand and a vector, by default", BY_DEFAULT),
    Row("shop with both", "category, brand and a vector", WITH),
    Row("ml-100k", "none: ids alone", {}),
    Row("ml-100k", "of users and movies", WITH),
)


def write(folder: Path) -> None:
    """A log, `items.csv`, and `looks.npy` with its ids.

    Users like a few brands; a brand belongs to a category. A vector is its category's, its brand's and noise.
    """
    rng = np.random.default_rng(0)
    category = rng.integers(CATEGORIES, size=ITEMS)
    brand = category * BRANDS_EACH + rng.integers(BRANDS_EACH, size=ITEMS)
    popularity = rng.pareto(1.2, ITEMS) + 0.1
    of_brand = [np.flatnonzero(brand == each) for each in range(CATEGORIES * BRANDS_EACH)]
    rows = ["user_id,item_id,timestamp"]
    for user in range(USERS):
        liked = rng.choice(len(of_brand), LIKED, replace=False)
        taken = set[int]()
        for moment in np.sort(rng.integers(10**7, size=max(4, rng.poisson(INTERACTIONS)))):
            pool = of_brand[rng.choice(liked)] if rng.random() < LOYAL else np.arange(ITEMS)
            item = int(rng.choice(pool, p=popularity[pool] / popularity[pool].sum())) if len(pool) else -1
            if item >= 0 and item not in taken:
                taken.add(item)
                rows.append(f"u{user},{item},{1_600_000_000 + moment}")
    (folder / "log.csv").write_text("\n".join(rows), encoding="utf-8")
    lines = [f"{item},c{category[item]},b{brand[item]}" for item in range(ITEMS)]
    (folder / "items.csv").write_text("\n".join(["item_id,category,brand", *lines]), encoding="utf-8")
    looks = 0.6 * rng.normal(size=(len(of_brand), WIDTH))[brand]
    looks += 0.6 * rng.normal(size=(CATEGORIES, WIDTH))[category] + 0.5 * rng.normal(size=(ITEMS, WIDTH))
    np.save(folder / "looks.npy", looks.astype(np.float32))
    (folder / "looks.ids.txt").write_text("\n".join(map(str, range(ITEMS))), encoding="utf-8")


def datasets(folder: Path, protocol: str) -> Iterator[Dataset]:
    """The log with each of its kinds of features."""
    items, vectors = {"items": folder / "items.csv"}, {"item_vectors": {"look": str(folder / "looks.npy")}}
    for name, given in (("categories", items), ("vectors", vectors), ("both", items | vectors)):
        yield load(folder / "log.csv", protocol=protocol, name=f"shop with {name}", **given)


def _asked(row: Row) -> dict[str, Any]:
    """Every setting of a row, all of which rank by their vectors alone."""
    return settings.read(registry.get(MODEL), PLAIN | row.settings, "study")


def measure(dataset: Dataset) -> None:
    """Score every row of `ROWS` on it that has no score yet."""
    for row in (
        each for each in ROWS if each.dataset == dataset.title and dataset.protocol in each.protocols
    ):
        for seed in range(SEEDS):
            here = compute.current()
            asked = _asked(row)
            job = Job(ModelSource(MODEL), asked, seed, K, here.device, here.precision)
            target = RECORDS / scores.file_name(dataset.name, job.identity(dataset))
            if target.is_file():
                continue
            started = time.perf_counter()
            ndcg = isolation.call(_ndcg, job, dataset)
            found = Finding(
                **job.identity(dataset).key,
                ndcg=ndcg,
                seconds=round(time.perf_counter() - started, 1),
                dataset=dataset.heading,
                threads=here.threads,
                processor=environment.processor(),
                commit=environment.git_commit(),
                date=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            scores.write(target, found)
            say(f"{dataset.heading}: {row.features}, seed {seed}: NDCG@20 {ndcg:.4f}")


def _ndcg(job: Job, dataset: Dataset) -> float:
    return scored(job, dataset)["ndcg"]


def tables() -> dict[str, str]:
    """The stored scores as Markdown."""
    return {"features of one's own": table(scores.load_all(RECORDS, Finding))}


def table(found: list[Finding]) -> str:
    """A line a row and protocol: the mean over seeds, their range, and the gain over ids alone."""
    lines = []
    for protocol in PROTOCOLS:
        alone: dict[str, float] = {}
        for row in (each for each in ROWS if protocol in each.protocols):
            asked = _asked(row)
            each = [
                one.ndcg
                for one in found
                if one.title == row.dataset and f": {protocol}," in one.dataset and one.settings == asked
            ]
            if not each:
                continue
            mean = float(np.mean(each))
            name = row.dataset.partition(" with")[0]
            if not row.settings:
                alone[name] = mean
            gain = f"{mean / alone[name] - 1:+.0%}" if name in alone else "–"
            spread = f"{min(each):.4f} to {max(each):.4f}"
            lines.append([name, protocol, row.features, f"{mean:.4f}", spread, len(each), gain])
    header = ["dataset", "protocol", "features", "NDCG@20", "of seeds", "seeds", "over ids"]
    return markdown.table(lines, header) if lines else pages.NOT_MEASURED


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Score what has no score yet."""
    options = command.parser("own_features", __doc__, ("shop", "ml-100k")).parse_args(arguments)
    compute.configure()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        for protocol in PROTOCOLS:
            for dataset in datasets(Path(folder), protocol) if "shop" in options.datasets else ():
                measure(dataset)
            if "ml-100k" in options.datasets:
                measure(load("ml-100k", options.data_dir, protocol=protocol))
    return 0


if __name__ == "__main__":
    sys.exit(main())
