"""What `benchmarks.gpu` measures; each part returns plain numbers, on a GPU as on the CPU."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from retrieval_leaderboard import neural
from retrieval_leaderboard.benchmarks.gpu import clocks
from retrieval_leaderboard.benchmarks.gpu.data import SEED, Sizes
from retrieval_leaderboard.datasets import Dataset, Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.ranking import ties, topk, topk_torch
from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.devices import DEVICES

MODELS: dict[str, type[TwoTower]] = {
    model.name: model for model in neural.MODELS if model.name in registry.defaults()
}
"""Those that learn from data without an order"""
PRECISIONS = ("fp32", "bf16", "fp16")
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
K, DIM = 20, 64
CHECKED = 64
"""Queries whose top-k is compared with a float64 reference"""

Row = dict[str, Any]


def ceilings(device: str, sizes: Sizes) -> Row:
    """GB/s of a copy within the device (bytes read and written), TFLOP/s of a square matrix product."""
    source = torch.zeros(sizes.copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found: Row = {"copy_gb": 2 * sizes.copied / clocks.seconds(lambda: target.copy_(source), device) / 1e9}
    for precision, kind in TYPES.items():
        a, b = (torch.randn(sizes.matrix, sizes.matrix, device=device, dtype=kind) for _ in range(2))
        found[precision] = 2 * sizes.matrix**3 / clocks.seconds(partial(torch.matmul, a, b), device) / 1e12
    return found


def training(device: str, sizes: Sizes, data: Dataset, batches: tuple[int, ...]) -> list[Row]:
    """Seconds an epoch, examples a second and peak MiB by model, rows a step of `batches` and precision."""
    runs = [(rows, name, kind) for rows in batches for name in MODELS for kind in PRECISIONS]
    found = []
    for rows, name, precision in runs:
        clocks.clear(device)
        compute.configure(device, precision)
        trainer = _trainer(MODELS[name](batch_size=rows), data.train_valid)
        records = [trainer.epoch(number, _nothing) for number in range(1, sizes.timed_epochs + 2)][1:]
        row = {
            "model": name,
            "batch_size": rows,
            "precision": precision,
            "peak_mib": compute.device().peak_mib(),
        }
        row |= {
            key: statistics.median(each[key] for each in records)
            for key in ("seconds", "examples_per_second")
        }
        progress.say(f"{name}, {rows} rows a step, {precision}: {row['seconds']:.3f} s an epoch")
        found.append(row)
    return found


def quality(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Validation NDCG@20 after a fixed number of epochs, by model and precision; one seed for all."""
    found = []
    for name, precision in ((name, precision) for name in MODELS for precision in PRECISIONS):
        compute.configure(device, precision)
        model = MODELS[name](batch_size=sizes.batches[0], epochs=sizes.epochs)
        trainer = _trainer(model, data.train)
        for number in range(1, sizes.epochs + 1):
            trainer.epoch(number, _nothing)
        model.settle(data.train, None)
        model.set_towers(trainer.towers, data.train)
        items, _ = model.recommend(data.valid, K)
        ndcg = measure.mean(measure.per_query(items, data.valid.relevant, K))["ndcg"]
        progress.say(f"{name}, {precision}: NDCG@{K} {ndcg:.4f} after {sizes.epochs} epochs")
        found.append({"model": name, "precision": precision, "epochs": sizes.epochs, "ndcg": ndcg})
    return found


def deterministic(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Of trainings in fp16 as `--deterministic` has them, by model: seconds an epoch, and whether two of them
    come to the same losses, to the bit. In a process of its own: products are set up with the first one.
    """
    compute.configure(device, "fp16")
    compute.make_deterministic()
    found = []
    for name, model in MODELS.items():
        runs = []
        for _ in range(2):
            trainer = _trainer(model(batch_size=sizes.batches[0]), data.train_valid)
            runs.append([trainer.epoch(number, _nothing) for number in range(1, sizes.timed_epochs + 2)])
        losses = [[record["loss"] for record in records] for records in runs]
        seconds = statistics.median(record["seconds"] for record in runs[0][1:])
        found.append({"model": name, "seconds": seconds, "same": losses[0] == losses[1]})
    return found


def compiled(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Of trainings in fp16 as `--compile` has them, by model: seconds of the first epoch, which compiles, and
    of the others. In a process of its own: it is chosen for all its trainings. On the CPU there are none.
    """
    compute.configure(device, "fp16")
    if not DEVICES[device].asynchronous:
        return []
    compute.make_compiled()
    found = []
    for name, model in MODELS.items():
        trainer = _trainer(model(batch_size=sizes.batches[0]), data.train_valid)
        first, *others = [trainer.epoch(at, _nothing)["seconds"] for at in range(1, sizes.timed_epochs + 2)]
        found.append({"model": name, "first_seconds": first, "seconds": statistics.median(others)})
    return found


def steps(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Of a step in fp16, by model: what the host asks for, where it waits, and how long the GPU works.

    `calls` counts the operations of one step; `waits` maps "file:line" to waits of one; `busy` is the share
    of the time of ten steps in which a kernel runs: far below 1, the host's launches bound the step. On the
    CPU there are calls alone.
    """
    compute.configure(device, "fp16")
    found = []
    for name in MODELS:
        trainer = _trainer(MODELS[name](batch_size=sizes.batches[0]), data.train_valid)
        batches = _batches(trainer)
        one = partial(_step, trainer, batches)
        _repeat(one, 5)
        row: Row = {"model": name, "calls": clocks.calls(one)}
        if DEVICES[device].asynchronous:
            row |= {"waits": clocks.waits(one), "busy": clocks.busy(partial(_repeat, one, 10))}
        found.append(row)
    return found


def _repeat(work: clocks.Work, times: int) -> None:
    for _ in range(times):
        work()


def _trainer(model: TwoTower, train: Interactions) -> Trainer:
    settings = model.resolved(train, None)
    return Trainer(settings, settings.pair_loss, train, SEED)


def _batches(trainer: Trainer) -> Iterator[Batch]:
    while True:
        yield from trainer.batcher.epoch(trainer.examples())


def _step(trainer: Trainer, batches: Iterator[Batch]) -> None:
    trainer.step(next(batches))


def exact_topk(device: str, sizes: Sizes) -> Row:
    """Seconds of the exact top-20, host to host, and of the bare products of the same blocks.

    Raises:
        RuntimeError: a list differs from the float64 reference, with TF32 turned on elsewhere or without.
    """
    rng = np.random.default_rng(SEED)
    queries, items = (rng.standard_normal((n, DIM), dtype=np.float32) for n in (sizes.queries, sizes.catalog))
    taken = rng.integers(sizes.catalog, size=sizes.queries * sizes.excluded).astype(np.int32)
    exclude = Ragged.from_offsets(taken, offsets_of(np.full(sizes.queries, sizes.excluded)))
    error = topk._score_error(queries, items)

    def rank(block: slice) -> np.ndarray:
        return topk_torch.inner_product(queries[block], items, exclude.take(block), K, error[block], device)[
            0
        ]

    right = _reference(queries[:CHECKED], items, exclude)
    for precision in ("high", "highest") if DEVICES[device].asynchronous else ("highest",):
        torch.set_float32_matmul_precision(precision)
        if not np.array_equal(rank(slice(0, CHECKED)), right):
            raise RuntimeError(f"the exact top-k differs from the float64 reference ({precision} precision)")
    clocks.clear(device)
    total = clocks.elapsed(lambda: rank(slice(None)))
    peak = compute.device().peak_mib()
    return {
        "queries": sizes.queries, "items": sizes.catalog, "dim": DIM, "k": K,
        "seconds": total, "product_seconds": _products(device, queries, items), "peak_mib": peak,
    }  # fmt: skip


def _reference(queries: np.ndarray, items: np.ndarray, exclude: Ragged) -> np.ndarray:
    """int[q, k] from the whole matrix in float64, rounded to float32; ties by `ties.rank`."""
    scores = (queries.astype(np.float64) @ items.T.astype(np.float64)).astype(np.float32)  # (q, items)
    for row, each in enumerate(scores):
        each[exclude[row]] = -np.inf
    order = np.argsort(ties.rank(np.arange(len(items))))
    return order[np.argsort(-scores[:, order], axis=1, kind="stable")[:, :K]]


def _products(device: str, queries: np.ndarray, items: np.ndarray) -> float:
    """Seconds of the products alone, each into the same block of memory."""
    query, vectors = torch.from_numpy(queries).to(device), torch.from_numpy(items).to(device)
    rows = min(len(queries), max(1, topk_torch.BLOCK_SCORES // len(items)))
    buffer = torch.empty(rows, len(items), device=device)

    def work() -> None:
        for block in query.split(rows):
            torch.matmul(block, vectors.T, out=buffer[: len(block)])

    return clocks.seconds(work, device, rounds=3)


def _nothing() -> None:
    pass
