"""Plots that are the same file whenever they are drawn of the same runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.support.storage.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def panels(count: int, size: tuple[float, float], name: str) -> tuple[Figure, Any]:
    """A figure of `count` panels side by side, `size` inches together, and the panels; for `save`.

    `name` decides the ids inside the file, which are otherwise drawn at random.
    """
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = name
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, count, figsize=size, layout="constrained", squeeze=False)
    return figure, axes[0]


def save(figure: Figure, target: Path) -> None:
    """Write `figure` as SVG, without the date."""
    with atomic_file(target) as scratch:
        figure.savefig(scratch, format="svg", metadata={"Date": None})
