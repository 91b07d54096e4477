"""The training loop of all two-tower models: epochs, early stopping, mixed precision."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from datasets.dataset import Interactions, Queries
from evaluation import metrics
from neural.batches import Batch, Batcher, Rows, position_rows, user_rows
from neural.negatives import NegativeSampler
from neural.optimiser import RowwiseAdamW
from neural.towers import Shape, TwoTowers, Vocabulary
from neural.two_tower import TwoTower
from support import compute, progress

HIT_SCORE = -65504.0
"""Score of a masked negative: the lowest of fp16; -inf would make NaN of a row with no negative left."""
WARM_UP = 0.05
"""Share of all steps in which the learning rate rises from 0."""
VALID_K = 20


@dataclass(frozen=True)
class Epoch:
    """What one pass over the rows came to."""

    loss: float
    examples: int
    seconds: float


def fit(model: TwoTower, train: Interactions, valid: Queries | None, seed: int) -> None:
    """Train `model`; with `valid`, stop early and keep the best epoch's weights."""
    torch.set_num_threads(compute.current().threads)
    device = compute.current().device
    host = torch.Generator().manual_seed(seed)
    generator = torch.Generator(device).manual_seed(seed)
    towers = TwoTowers(_shape(model), _vocabulary(model, train), host).to(device)
    batcher = _batcher(model, train, generator, device)
    loop = Loop(model, towers, batcher, math.ceil(_n_rows(model, train) / batcher.batch_rows))
    judge = None if valid is None else Judge(model, towers, valid, train, seed)
    last_epoch = model.best_epoch_ if valid is None and model.best_epoch_ else model.epochs
    model.training_log_ = []
    with progress.bar(f"{model.name}: training", last_epoch * loop.steps_per_epoch, "steps") as advance:
        for number in range(1, last_epoch + 1):
            done = loop.epoch(_rows(model, train, generator, device), advance)
            if not math.isfinite(done.loss):
                raise RuntimeError(f"{model.name}: the loss is {done.loss} in epoch {number}; lower learning_rate")
            record = {"epoch": number, "loss": done.loss, "examples_per_second": done.examples / done.seconds}
            record["seconds"] = done.seconds
            model.training_log_.append(record)
            if judge is None or (number % judge.every and number < last_epoch):
                continue
            record["valid_ndcg"] = judge.score(number)
            advance(0, f"loss {done.loss:.4f}, valid NDCG {record['valid_ndcg']:.4f}")
            if judge.waited >= model.patience:
                break
    model.adopt(towers.export() if judge is None else judge.best, train)
    if judge is not None:
        model.best_epoch_ = judge.best_epoch
    model.trained_numbers_ = sum(each.numel() for each in towers.trained())


class Judge:
    """Scores the towers on a sample of validation queries and remembers the best."""

    def __init__(self, model: TwoTower, towers: TwoTowers, valid: Queries, train: Interactions, seed: int) -> None:
        self.model, self.towers, self.train = model, towers, train
        sample = np.random.default_rng(seed).permutation(len(valid))[: model.valid_queries]
        self.queries = valid.take(np.sort(sample))
        self.every = model.evaluate_every
        self.best: dict[str, Tensor] = {}
        self.best_score, self.best_epoch, self.waited = -1.0, 0, 0

    def score(self, epoch: int) -> float:
        """NDCG@20 of the towers as they are now."""
        tables = self.towers.export()
        self.model.adopt(tables, self.train)
        items, _ = self.model.recommend(self.queries, VALID_K)
        score = float(np.nanmean(metrics.per_query(items, self.queries.relevant, VALID_K)["ndcg"]))
        self.waited += 1
        if score > self.best_score:
            self.best, self.best_score, self.best_epoch, self.waited = tables, score, epoch, 0
        return score


class Loop:
    """Optimiser, schedule and precision of one fit."""

    def __init__(self, model: TwoTower, towers: TwoTowers, batcher: Batcher, steps_per_epoch: int) -> None:
        self.model, self.towers, self.batcher, self.steps_per_epoch = model, towers, batcher, steps_per_epoch
        self.optimiser = RowwiseAdamW(towers, model.learning_rate, model.weight_decay)
        self.device, precision = compute.current().device, compute.current().precision
        self.scaler = torch.amp.GradScaler(self.device, enabled=precision == "fp16")
        self.type = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
        self.steps = 0

    def epoch(self, rows: Rows, advance: Callable[..., None]) -> Epoch:
        """One pass over `rows`; the loss is read from the device once, at the end."""
        started, examples = time.perf_counter(), 0
        total = torch.zeros((), device=self.device)
        for batch in self.batcher.epoch(rows):
            total += self.step(batch)
            examples += len(batch.row)
            advance()
        loss = float(total) / self.steps_per_epoch
        return Epoch(loss, examples, time.perf_counter() - started)

    def step(self, batch: Batch) -> Tensor:
        """Update the towers by one batch; the loss, float[]."""
        with torch.autocast(self.device, self.type, enabled=self.type is not None):
            loss = batch_loss(self.model, self.towers, batch)
        self.scaler.scale(loss).backward()
        parameters = self.optimiser.collect()
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(parameters, self.model.clip_norm)
        self.optimiser.param_groups[0]["lr"] = self.model.learning_rate * self.rate()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.steps += 1
        return loss.detach()

    def rate(self) -> float:
        """Share of the learning rate at this step: a linear warm-up, then half a cosine down to 0."""
        done = (self.steps + 1) / (self.steps_per_epoch * self.model.epochs + 1)
        return min(done / WARM_UP, 0.5 * (1 + math.cos(math.pi * done)))


def batch_loss(model: TwoTower, towers: TwoTowers, batch: Batch) -> Tensor:
    """Weighted mean of the model's loss over the pairs of `batch`, float[]."""
    moments, items = towers(batch.moments, batch.items)  # (rows, dim), (items, dim)
    positive = (moments[batch.row] * items[batch.target]).sum(dim=1)  # (pairs,)
    negative = moments @ items[batch.negative].T  # (rows, negatives)
    negative[batch.hit_row, batch.hit_negative] = HIT_SCORE
    loss = model.pair_loss(positive, negative, batch, towers)  # (pairs,)
    return (loss * batch.weight).sum() / batch.weight.sum()


def _shape(model: TwoTower) -> Shape:
    return Shape(
        dim=model.embedding_dim,
        cosine=model.similarity == "cosine",
        user_share=model.user_share,
        shared=model.shared_history,
        project=model.project,
        newest=model.rows_ == "position",
        recency=model.recency if model.rows_ == "position" else 0.0,
        init_scale=model.init_scale,
    )


def _vocabulary(model: TwoTower, train: Interactions) -> Vocabulary:
    return Vocabulary(
        user_known=torch.as_tensor(train.user_counts > 0).float(),
        item_known=torch.as_tensor(train.item_counts > 0).float(),
        item_weight=torch.as_tensor(np.maximum(train.item_counts, 1) ** -model.history_exponent).float(),
        user_features=train.user_features if model.features else None,
        item_features=train.item_features if model.features else None,
    )


def _batcher(model: TwoTower, train: Interactions, generator: torch.Generator, device: str) -> Batcher:
    counts = torch.as_tensor(train.item_counts, device=device)
    degree = np.maximum(train.user_counts, 1).astype(np.float32)
    return Batcher(
        batch_rows=model.batch_rows,
        sampler=NegativeSampler(counts, model.negatives, model.negative_exponent),
        in_batch=model.in_batch,
        mask_history=model.rows_ == "user",
        user_weight=torch.as_tensor(degree**-model.user_exponent, device=device),
        popularity=counts.double() / counts.sum(),
        generator=generator,
    )


def _rows(model: TwoTower, train: Interactions, generator: torch.Generator, device: str) -> Rows:
    if model.rows_ == "position":
        return position_rows(train, model.max_history, device)
    return user_rows(train, model.input_share, generator, device)


def _n_rows(model: TwoTower, train: Interactions) -> int:
    return len(train) if model.rows_ == "position" else int((train.user_counts > 0).sum())
