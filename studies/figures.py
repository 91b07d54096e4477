"""Plots that are the same file whenever they are drawn of the same runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.support.storage.files import atomic_file

MODELS = ("global_hot", "item_cf", "swing", "als", "dssm_bce", "simplex_ccl", "infonce", "bsl")

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def panels(
    count: int, size: tuple[float, float], name: str, columns: int | None = None
) -> tuple[Figure, list[Any]]:
    """A figure of `count` panels, `size` inches together, and the panels; for `save`.

    Args:
        count: how many.
        size: width and height.
        name: decides the ids inside the file, which are otherwise drawn at random.
        columns: panels in a row; None for all in one.
    """
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = name
    from matplotlib import pyplot

    columns = columns or count
    figure, axes = pyplot.subplots(
        -(-count // columns), columns, figsize=size, layout="constrained", squeeze=False
    )
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def legend(figure: Figure, axes: list[Any], columns: int) -> None:
    """One legend of all panels below them, each label once."""
    pairs = [pair for axis in axes for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
    by_label = {label: handle for handle, label in reversed(pairs)}
    labels = sorted(by_label, key=lambda label: (label not in MODELS, [*MODELS, label].index(label)))
    handles = [by_label[label] for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def save(figure: Figure, target: Path) -> None:
    """Write `figure` as SVG, without the date."""
    with atomic_file(target) as scratch:
        figure.savefig(scratch, format="svg", metadata={"Date": None})
