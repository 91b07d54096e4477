"""The command line: `python -m serving export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.serving.export import folder
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import need
from retrieval_leaderboard.support.numbers import within

ONNX = ("onnx", "onnxscript", "onnxruntime")
MOST = 10_000
"""Items of a list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be said of an export, beside the run and its data."""
    add = parser.add_argument
    parts = "; ".join(f"{name} ({about})" for name, about in folder.PARTS.items())
    add("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    add("--replace", action="store_true", help="of an export that is there")
    add("--only", type=_names, default=(), metavar="PART,…", help=f"{parts}; default: all that there is")
    add("--onnx", action="store_true", help="write the towers of a two-tower model too, as ONNX")
    add("--k", type=within(1, MOST), default=20, metavar="N", help="items of a list (default: 20)")


def check(options: argparse.Namespace) -> None:
    """InputError for what can be refused before the data is loaded."""
    if options.onnx:
        need(ONNX, "requirements-onnx.lock")
    folder.check_parts(options.only)
    folder.check_target(options.out, options.replace)


def write(options: argparse.Namespace, dataset: Dataset, model_class: type[Retriever] | None) -> None:
    """Write the export."""
    manifest = folder.write(
        options.run,
        dataset,
        options.out,
        options.only,
        options.k,
        model_class,
        options.replace,
        options.onnx,
    )
    for name, about in manifest["files"].items():
        progress.say(f"{options.out / name}: {about['rows']:,} rows")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))
