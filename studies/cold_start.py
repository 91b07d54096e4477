"""What features are worth: `python -m studies.cold_start` fills `docs/features.md` from stored runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard import ROOT, neural
from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.reports.board import Row, read_boards
from retrieval_leaderboard.evaluation.reports.labels import labels, legend, names
from retrieval_leaderboard.studies import own_features
from retrieval_leaderboard.support import markdown, pages

PAGE = ROOT / "docs" / "features.md"
CHANCES = 20
"""A feature tower's Recall@20 on cold items is at least so many times a random ranking's."""
WARM_GAIN = 0.1
"""Features add at least this share of NDCG@20 on warm queries of aliec-sim."""


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


SHARED = ("history_encoder", "averaging")
"""Settings in which runs with and without features are the same"""

BOARDS = (
    Board("aliec-sim", "aliec-sim, synthetic, scale 1.0", "time", WARM_GAIN),
    Board("aliec-sim", "aliec-sim, synthetic, scale 0.02", "time", WARM_GAIN),
    Board("ml-1m", "ml-1m", "cold-items", None),
    Board("ml-1m", "ml-1m", "next-item", 0.0, cold=False),
)


def rows(board: Board, results: Path) -> list[Row]:
    """The rows with finished runs of a board by its protocol's own policy of seen items, split seed 0."""
    return [
        row
        for family in read_boards(results / board.folder)
        for each in family
        if each.dataset.title == board.title
        and each.dataset.protocol == board.protocol
        and each.dataset.exclude_seen == excludes_seen(board.protocol)
        and each.split_seed == 0
        for row in each.rows
        if row.done
    ]


def sliced(row: Row, name: str, key: str) -> float:
    """A figure of a slice, the mean over the runs of `row`."""
    parts = [part for record in row.done for part in record.measured.slices if part.slice == name]
    figures = [part.metrics[key] if key in part.metrics else getattr(part, key) for part in parts]
    return sum(figures) / len(figures)


def pair(found: list[Row], model: str) -> list[Row]:
    """The newest row of `model` with features, and of those without them the one most like it.

    Empty where either is missing, or none without them is as it in SHARED.
    """
    ours = sorted((row for row in found if row.model == model), key=lambda row: row.newest.date)
    with_features = [row for row in ours if row.plain_settings.get("features") is True]
    if not with_features:
        return []
    newest = with_features[-1]
    bare = [
        row
        for row in reversed(ours)
        if row.plain_settings.get("features") is False
        and all(row.settings.get(key) == newest.settings.get(key) for key in SHARED)
    ]
    return [newest, min(bare, key=lambda row: len(_unlike(row, newest)))] if bare else []


def _unlike(row: Row, other: Row) -> list[str]:
    """Settings in which `row` differs from `other`, but for whether it has features."""
    ours, theirs = row.plain_settings, other.plain_settings
    return [key for key in ours if key in theirs and key != "features" and ours[key] != theirs[key]]


def labeled(found: list[Row]) -> list[tuple[str, Row]]:
    """The rows with features, each with what to call it: by settings where a name would be a number."""
    towers = [
        row
        for name in neural.NAMES
        for row in found
        if row.model == name and row.plain_settings.get("features") is True
    ]
    called = labels(towers) if legend(towers) else names(towers)
    return list(zip(called, towers, strict=True))


def cold_rows(found: list[Row]) -> Iterator[list[str]]:
    """Recall@20 on cold items of every feature tower, beside chance and popularity within the category."""
    reference = next((row for row in found if row.model == "category_hot"), None)
    hot = sliced(reference, "cold items", "recall") if reference else None
    for label, row in labeled(found):
        if not sliced(row, "cold items", "queries"):
            continue
        cold, chance = (sliced(row, "cold items", key) for key in ("recall", "random_recall"))
        times = cold / chance
        yield [
            label, f"{cold:.4f}", f"{chance:.6f}", f"{times:,.0f} ×", "yes" if times >= CHANCES else "no",
            *(("–", "–") if not hot else (f"{hot:.4f}", f"{cold / hot:.2f} ×")),
            f"{row.mean('ndcg'):.4f}",
        ]  # fmt: skip


def warm_rows(found: list[Row], least: float | None) -> Iterator[list[str]]:
    """NDCG@20 with features and with ids alone, on warm queries and on all."""
    for model in neural.NAMES:
        both = pair(found, model)
        if not both:
            continue
        warm = [sliced(row, "warm", "ndcg") for row in both]
        every = [row.mean("ndcg") for row in both]
        gain = warm[0] / warm[1] - 1
        met = "–" if least is None else "yes" if gain >= least else "no"
        change = every[0] / every[1] - 1
        yield [
            model, f"{warm[0]:.4f}", f"{warm[1]:.4f}", f"{gain:+.1%}", met,
            f"{every[0]:.4f}", f"{every[1]:.4f}", f"{change:+.1%}",
        ]  # fmt: skip


def differences(found: list[Row]) -> Iterator[str]:
    """The other settings in which the rows with ids alone differ, a sentence a model."""
    for model in neural.NAMES:
        both = pair(found, model)
        if not both:
            continue
        ours, bare = both
        others = [f"{key} {bare.settings[key] or 'none'}" for key in _unlike(bare, ours)]
        if len(bare.done) != len(ours.done):
            others.append(f"seeds {len(bare.done)} instead of {len(ours.done)}")
        if others:
            yield f"{model} with ids alone also has: {', '.join(others)}."


def tables(results: Path) -> dict[str, str]:
    """Board → what its runs under `results` say of features, as Markdown."""
    return {f"{board.title}, {board.protocol}": _about(board, rows(board, results)) for board in BOARDS}


def parts() -> dict[str, str]:
    """Everything that is filled into the page."""
    return tables(ROOT / "results") | own_features.tables()


def _about(board: Board, found: list[Row]) -> str:
    cold = list(cold_rows(found)) if board.cold else []
    warm = list(warm_rows(found, board.gain))
    parts = []
    if cold:
        header = ["cold items", "Recall@20", "chance", "over chance", f"≥ {CHANCES} ×"]
        parts.append(markdown.table(cold, [*header, "category_hot", "over it", "NDCG@20 of all"]))
    if warm:
        wanted = "wanted" if board.gain is None else f"≥ {board.gain:+.0%}"
        header = ["NDCG@20", "warm, features", "warm, ids", "gain", wanted]
        parts.append(markdown.table(warm, [*header, "all, features", "all, ids", "change"]))
        parts += differences(found)
    return "\n\n".join(parts) or pages.NOT_MEASURED


def main() -> int:
    """Fill the page."""
    argparse.ArgumentParser(prog="python -m studies.cold_start", description=__doc__).parse_args()
    pages.fill(PAGE, parts())
    return 0


if __name__ == "__main__":
    sys.exit(main())
