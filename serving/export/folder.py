"""An export: one folder of tables with raw ids, and what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever, ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.serving.export import tables
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.files import atomic_folder, bring_back, write_json

FORMAT = 1
"""Version of the layout"""
MANIFEST = "manifest.json"
VECTORS, NEIGHBORS, LISTS = "vectors", "neighbors", "lists"
PARTS = {
    VECTORS: "item and user vectors, of models that have them",
    NEIGHBORS: "the neighbors of every item, of item-to-item models",
    LISTS: "every user's list",
}
"""Part of an export → what it is"""
Makers = dict[str, Callable[[], tables.Table]]
"""File → what makes its table"""


def write(
    run: Path,
    dataset: Dataset,
    out: Path,
    only: Collection[str] = (),
    k: int = 20,
    model_class: type[Retriever] | None = None,
    replace: bool = False,
    onnx: bool = False,
) -> dict[str, Any]:
    """Write what a finished run has learned to the folder `out`, whole or not at all.

    Args:
        run: the run's folder.
        dataset: what it was trained on.
        out: the export's folder.
        only: some of `PARTS`; all that the model has where none is named.
        k: items of a list, cut to the size of the catalog.
        model_class: as in `bundle.trained`.
        replace: whether an older export in `out` goes.
        onnx: whether to write the towers of a two-tower model too.

    Returns:
        What `manifest.json` says.

    Raises:
        InputError: as `bundle.trained`, `check_target` and `onnx_towers.write`; an unknown part, or one that
            the model lacks.
        UnwritableError: there is no room, or no right, to write there; `out` is as it was.
    """
    check_parts(only)
    check_target(out, replace)
    record, model = bundle.trained(run, dataset, model_class)
    k = min(k, dataset.train_valid.n_items)
    makers = _makers(model, dataset, only, k) | (_codes(dataset) if onnx else {})
    with atomic_folder(out) as scratch:
        files: dict[str, Any] = {}
        towers = _towers(model, dataset, scratch) if onnx else {}
        for name, make in makers.items():
            table = make()
            files[name] = {"rows": table.write(scratch / name), "columns": table.described()}
        manifest = _about(record, dataset) | {"k": k, "files": files} | towers
        write_json(scratch / MANIFEST, manifest)
    return manifest


def check_parts(only: Collection[str]) -> None:
    """InputError for a name that is none of `PARTS`."""
    for part in only:
        if part not in PARTS:
            raise unknown("part of an export", part, PARTS)


def check_target(out: Path, replace: bool) -> None:
    """InputError where `out` is no export, or an export that may not be replaced.

    One that a command set aside, and died, stands in its place again.
    """
    if out.is_symlink():
        raise InputError(f"{out} is a link: give the folder that it names, or another --out")
    bring_back(out)
    if out.exists() and not _is_export(out):
        raise InputError(f"{out} exists and is no export: give another --out")
    if out.exists() and not replace:
        raise InputError(f"{out} holds an export already: give another --out, or --replace to write it anew")


def _is_export(folder: Path) -> bool:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "export_format" in content


def _makers(model: Retriever, dataset: Dataset, only: Collection[str], k: int) -> Makers:
    """The tables that are wanted and that the model has.

    Raises:
        InputError: a part is named that it lacks.
    """
    found: Makers = {}
    if isinstance(model, EmbeddingRetriever) and _wanted(VECTORS, only):
        found["item_vectors.parquet"] = lambda: tables.item_vectors(model, dataset)
        found["user_vectors.parquet"] = lambda: tables.user_vectors(model, dataset)
    elif VECTORS in only:
        raise InputError(f"{model.name} has no vectors: leave {VECTORS} out of --only")
    if isinstance(model, ItemToItemRetriever) and _wanted(NEIGHBORS, only):
        found["neighbors.parquet"] = lambda: tables.neighbors(model, dataset)
    elif NEIGHBORS in only:
        raise InputError(f"{model.name} has no neighbors of items: leave {NEIGHBORS} out of --only")
    if _wanted(LISTS, only):
        found["lists.parquet"] = lambda: tables.top_lists(model, dataset, k)
    return found


def _codes(dataset: Dataset) -> Makers:
    """What the inputs of towers are made with."""
    return {
        "item_codes.parquet": lambda: tables.codes("item_id", dataset.item_ids),
        "user_codes.parquet": lambda: tables.codes("user_id", dataset.user_ids),
    }


def _towers(model: Retriever, dataset: Dataset, scratch: Path) -> dict[str, Any]:
    # PyTorch takes seconds to load.
    from retrieval_leaderboard.serving.export import onnx_towers

    return {"towers": onnx_towers.write(model, dataset, scratch)}


def _wanted(part: str, only: Collection[str]) -> bool:
    return not only or part in only


def _about(record: RunRecord, dataset: Dataset) -> dict[str, Any]:
    return {
        "export_format": FORMAT,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "model": record.model,
        "settings": record.settings if record.resolved is None else record.resolved,
        "seed": record.seed,
        "dataset": dataset.name,
        "title": dataset.title or dataset.name,
        "protocol": dataset.protocol,
        "exclude_seen": dataset.exclude_seen,
        "fingerprint": dataset.fingerprint,
    }
