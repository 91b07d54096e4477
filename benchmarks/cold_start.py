"""What features are worth: `python -m benchmarks.cold_start` derives `docs/features.md` from stored runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

import neural
from datasets.splits import excludes_seen
from evaluation import runs
from evaluation.labels import labels
from support.files import write_text

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "features.md"
CHANCES = 20
"""A feature tower's Recall@20 on cold items is at least so many times a random ranking's."""
WARM_GAIN = 0.1
"""Features add at least this share of NDCG@20 on warm queries of aliec-sim."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """Where to look: a dataset's folder, a title, a protocol."""

    folder: str
    title: str
    protocol: str
    gain: float | None
    """The least gain on warm queries; None where none is asked for"""
    cold: bool = True
    """Whether it has cold items enough to speak of"""


ALIKE = ("history_encoder", "averaging")
"""Settings in which runs with and without features are the same"""

BOARDS = (
    Board("aliec-sim", "aliec-sim, synthetic, scale 1.0", "time", WARM_GAIN),
    Board("ml-1m", "ml-1m", "cold-items", None),
    Board("ml-1m", "ml-1m", "next-item", 0.0, cold=False),
)


def records(board: Board, results: Path) -> list[Record]:
    """The finished runs of a board by its protocol's own policy of seen items, split seed 0."""
    found = (runs.read(folder) for folder in sorted((results / board.folder / "runs").glob("*")))
    return [
        record
        for record in found
        if record
        and record["status"] == "done"
        and record["dataset"]["title"] == board.title
        and record["dataset"]["protocol"] == board.protocol
        and record["dataset"]["exclude_seen"] == excludes_seen(board.protocol)
        and record["dataset"]["split_seed"] == 0
    ]


def part(record: Record, name: str) -> Record:
    """A slice of a record."""
    return next(each for each in record["slices"] if each["slice"] == name)


def pair(found: list[Record], model: str) -> list[Record]:
    """The newest run of `model` with features, and without them the newest that is as it in ALIKE.

    Empty where either is missing.
    """
    ours = sorted((each for each in found if each["model"] == model), key=lambda each: each["date"])
    told = [each for each in ours if each["settings"].get("features")]
    bare = [
        each
        for each in ours
        if each["settings"].get("features") is False
        and told
        and all(each["settings"].get(key) == told[-1]["settings"].get(key) for key in ALIKE)
    ]
    return [told[-1], bare[-1]] if bare else []


def labelled(found: list[Record]) -> list[tuple[str, Record]]:
    """The runs with features, each with what to call it."""
    chosen = [
        each for name in neural.NAMES for each in found
        if each["model"] == name and each["settings"].get("features")
    ]  # fmt: skip
    names = labels([(each["model"], each["settings"]) for each in chosen])
    return list(zip(names, chosen, strict=True))


def cold_rows(found: list[Record]) -> Iterator[list[str]]:
    """Recall@20 on cold items of every feature tower, beside chance and popularity within the category."""
    reference = next((each for each in found if each["model"] == "category_hot"), None)
    hot = part(reference, "cold items")["recall"] if reference else None
    for label, record in labelled(found):
        cold = part(record, "cold items")
        if not cold["queries"]:
            continue
        times = cold["recall"] / cold["random_recall"]
        beaten = "–" if hot is None else "yes" if cold["recall"] > hot else "no"
        yield [
            label, f"{cold['recall']:.4f}", f"{cold['random_recall']:.6f}", f"{times:,.0f} ×",
            "yes" if times >= CHANCES else "no", "–" if hot is None else f"{hot:.4f}", beaten,
            f"{record['metrics']['ndcg']:.4f}",
        ]  # fmt: skip


def warm_rows(found: list[Record], least: float | None) -> Iterator[list[str]]:
    """NDCG@20 with features and with ids alone, on warm queries and on all."""
    for model in neural.NAMES:
        both = pair(found, model)
        if not both:
            continue
        warm = [part(each, "warm")["ndcg"] for each in both]
        every = [each["metrics"]["ndcg"] for each in both]
        gain = warm[0] / warm[1] - 1
        met = "–" if least is None else "yes" if gain >= least else "no"
        change = every[0] / every[1] - 1
        yield [
            model, f"{warm[0]:.4f}", f"{warm[1]:.4f}", f"{gain:+.1%}", met,
            f"{every[0]:.4f}", f"{every[1]:.4f}", f"{change:+.1%}",
        ]  # fmt: skip


def page(results: Path) -> str:
    """The page as Markdown."""
    text = (
        "# What features are worth\n\nDerived from stored runs by `python -m benchmarks.cold_start`. Chance "
        "is a uniformly random ranking's Recall@20. `category_hot` ranks by popularity within the categories "
        "of the user's history, an item without interactions counting as its category's average "
        "(`benchmarks/category_hot.py`). Rows with features and rows with ids alone are those of the boards, "
        "which tell their settings.\n"
    )
    for board in BOARDS:
        found = records(board, results)
        text += f"\n## {board.title}, {board.protocol}\n"
        cold = list(cold_rows(found)) if board.cold else []
        warm = list(warm_rows(found, board.gain))
        if cold:
            header = ["cold items", "Recall@20", "chance", "over chance", f"≥ {CHANCES} ×"]
            text += "\n" + _table(cold, [*header, "category_hot", "above it", "NDCG@20 of all"])
        if warm:
            wanted = "wanted" if board.gain is None else f"≥ {board.gain:+.0%}"
            header = ["NDCG@20", "warm, features", "warm, ids", "gain", wanted]
            text += "\n" + _table(warm, [*header, "all, features", "all, ids", "change"])
    return text


def _table(rows: list[list[str]], header: list[str]) -> str:
    return tabulate(rows, header, tablefmt="pipe", disable_numparse=True) + "\n"


def main() -> int:
    """Write the page."""
    write_text(PAGE, page(ROOT / "results"))
    print(PAGE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
