"""What `benchmarks.gpu` measures; each part returns plain numbers, on a card as on the CPU."""

from __future__ import annotations

import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets import Dataset, Interactions, load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.ranking import topk, topk_torch
from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.support import compute, progress

MODELS: dict[str, type[TwoTower]] = {
    model.name: model for model in neural.MODELS if model.name in registry.defaults()
}
"""Those that learn from data without an order"""
PRECISIONS = ("fp32", "bf16", "fp16")
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
K, DIM, SEED = 20, 64, 0
CHECKED = 64
"""Queries whose top-k is compared with a float64 reference"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    copied: int
    """Bytes of a copy"""
    matrix: int
    """Side of the square matrices multiplied"""
    users: int
    items: int
    interactions: int
    """Of the synthetic data, where there is no Gowalla"""
    batches: tuple[int, ...]
    """Examples a step; the first is also what the quality is measured with"""
    timed_epochs: int
    epochs: int
    """After which the quality is measured"""
    queries: int
    catalog: int
    """Queries and items of the exact top-k"""
    excluded: int
    """Items that each query excludes"""


FULL = Sizes(2**32, 8192, 29_858, 40_981, 1_027_370, (512, 4096), 3, 10, 491_647, 240_130, 20)
SMALL = Sizes(2**20, 128, 300, 200, 5_000, (64,), 1, 2, 300, 400, 5)


def seconds(work: Callable[[], Any], device: str, rounds: int = 10) -> float:
    """Median seconds of a call of `work`, after three that are not counted; on a card by its own clock."""
    for _ in range(3):
        work()
    if device == "cpu":
        return statistics.median(_elapsed(work) for _ in range(rounds))
    marks = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(rounds)
    ]
    for begin, end in marks:
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in marks) / 1000


def _elapsed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ceilings(device: str, sizes: Sizes) -> Row:
    """GB/s of a copy within the device (bytes read and written), TFLOP/s of a square matrix product."""
    source = torch.zeros(sizes.copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found: Row = {"copy_gb": 2 * sizes.copied / seconds(lambda: target.copy_(source), device) / 1e9}
    for precision, kind in TYPES.items():
        a, b = (torch.randn(sizes.matrix, sizes.matrix, device=device, dtype=kind) for _ in range(2))
        found[precision] = 2 * sizes.matrix**3 / seconds(partial(torch.matmul, a, b), device) / 1e12
    return found


def dataset(data_dir: Path, sizes: Sizes) -> Dataset:
    """Gowalla where `data_dir` has it and it is not too large, else synthetic data of its shape."""
    if sizes.users == FULL.users and (data_dir / "gowalla" / "train.txt").is_file():
        return load("gowalla", data_dir)
    return split(_synthetic(sizes), "random", exclude_seen=True, split_seed=SEED)


def _synthetic(sizes: Sizes) -> Log:
    """Users and items of power-law frequency; four in five picks are from the user's group of items."""
    rng = np.random.default_rng(SEED)
    groups = max(2, sizes.items // 800)
    draws = 2 * sizes.interactions
    user = rng.choice(sizes.users, draws, p=_power_law(sizes.users))
    rank = rng.choice(sizes.items // groups, draws, p=_power_law(sizes.items // groups))
    picked = rank * groups + user % groups
    item = np.where(rng.random(draws) < 0.8, picked, rng.integers(sizes.items, size=draws))
    pairs = rng.permutation(np.unique(user * sizes.items + item))[: sizes.interactions]
    user, item = np.divmod(np.sort(pairs), sizes.items)
    return Log(
        name="synthetic",
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        user_ids=np.arange(sizes.users).astype(str).astype(object),
        item_ids=np.arange(sizes.items).astype(str).astype(object),
        ordered=False,
        title="synthetic data of Gowalla's shape",
        synthetic=True,
    )


def _power_law(n: int) -> np.ndarray:
    weight = np.arange(1, n + 1) ** -0.6
    return weight / weight.sum()


def training(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Seconds an epoch, examples a second and peak MiB by model, rows a step and precision."""
    runs = [(rows, name, kind) for rows in sizes.batches for name in MODELS for kind in PRECISIONS]
    found = []
    for rows, name, precision in runs:
        _clear(device)
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
        model.resolved_ = model.resolve(data.train, None)
        model.set_towers(trainer.towers, data.train)
        items, _ = model.recommend(data.valid, K)
        ndcg = measure.mean(measure.per_query(items, data.valid.relevant, K))["ndcg"]
        progress.say(f"{name}, {precision}: NDCG@{K} {ndcg:.4f} after {sizes.epochs} epochs")
        found.append({"model": name, "precision": precision, "epochs": sizes.epochs, "ndcg": ndcg})
    return found


def steps(device: str, sizes: Sizes, data: Dataset) -> list[Row]:
    """Of a step in fp16, by model: where the host waits for the card, and how long the card works.

    `waits` maps "file:line" to waits of one step; `busy` is the share of the time of ten steps in
    which a kernel runs: far below 1, the host's launches bound the step. On the CPU there is neither.
    """
    compute.configure(device, "fp16")
    found = []
    for name in MODELS:
        trainer = _trainer(MODELS[name](batch_size=sizes.batches[0]), data.train_valid)
        batches = _batches(trainer)
        for _ in range(5):
            _step(trainer, batches)
        if device == "cuda":
            waits = _waits(partial(_step, trainer, batches))
            found.append({"model": name, "waits": waits, "busy": _busy(trainer, batches)})
    return found


def _trainer(model: TwoTower, train: Interactions) -> Trainer:
    settings = model.resolved(train, None)
    return Trainer(settings, settings.pair_loss, train, SEED)


def _batches(trainer: Trainer) -> Iterator[Batch]:
    while True:
        yield from trainer.batcher.epoch(trainer.examples())


def _step(trainer: Trainer, batches: Iterator[Batch]) -> None:
    trainer.step(next(batches))


def _waits(work: Callable[[], Any]) -> dict[str, int]:
    """File and line → how often PyTorch saw the host wait for the card there."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        work()
        torch.cuda.set_sync_debug_mode("default")
    seen = [each for each in caught if "called a synchronizing" in str(each.message)]
    return dict(Counter(f"{Path(each.filename).name}:{each.lineno}" for each in seen))


def _busy(trainer: Trainer, batches: Iterator[Batch], number: int = 10) -> float:
    def work() -> None:
        for _ in range(number):
            _step(trainer, batches)
        torch.cuda.synchronize()

    torch.cuda.synchronize()
    total = _elapsed(work)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
    return sum(each.self_device_time_total for each in profile.key_averages()) / 1e6 / total


def exact_topk(device: str, sizes: Sizes) -> Row:
    """Seconds of the exact top-20, host to host, and of the bare products of the same blocks.

    Raises:
        RuntimeError: a list differs from the float64 reference.
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

    found = rank(slice(0, CHECKED))
    if not np.array_equal(found, _reference(queries[:CHECKED], items, exclude)):
        raise RuntimeError("the exact top-k differs from the float64 reference")
    _clear(device)
    total = _elapsed(lambda: rank(slice(None)))
    peak = compute.device().peak_mib()
    return {
        "queries": sizes.queries, "items": sizes.catalog, "dim": DIM, "k": K,
        "seconds": total, "product_seconds": _products(device, queries, items), "peak_mib": peak,
    }  # fmt: skip


def _reference(queries: np.ndarray, items: np.ndarray, exclude: Ragged) -> np.ndarray:
    """int[q, k] from the whole matrix in float64, rounded to float32; ties by item."""
    scores = (queries.astype(np.float64) @ items.T.astype(np.float64)).astype(np.float32)  # (q, items)
    for row, each in enumerate(scores):
        each[exclude[row]] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :K]


def _products(device: str, queries: np.ndarray, items: np.ndarray) -> float:
    """Seconds of the products alone, each into the same block of memory."""
    query, vectors = torch.from_numpy(queries).to(device), torch.from_numpy(items).to(device)
    rows = min(len(queries), max(1, topk_torch.BLOCK_SCORES // len(items)))
    buffer = torch.empty(rows, len(items), device=device)

    def work() -> None:
        for block in query.split(rows):
            torch.matmul(block, vectors.T, out=buffer[: len(block)])

    return seconds(work, device, rounds=3)


def _clear(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _nothing() -> None:
    pass
