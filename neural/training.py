"""The training loop of all two-tower models."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from datasets.dataset import Interactions, Queries
from neural import schedule
from neural.batches import Batch, Batcher, Rows, position_rows, user_rows
from neural.negatives import NegativeSampler
from neural.optimiser import RowwiseAdamW
from neural.towers import Shape, TwoTowers, Vocabulary
from neural.two_tower import TwoTower
from support import compute, progress
from support.errors import InputError

HIT_SCORE = -65504.0
"""Score of a masked negative: the lowest of fp16. -inf would make NaN of a row with no negative left."""


def fit(model: TwoTower, train: Interactions, valid: Queries | None, seed: int) -> None:
    """Train `model`; with `valid`, stop early and answer from the best epoch's towers.

    Raises:
        RuntimeError: the loss is no longer a number.
        InputError: no user has two interactions, so that there is nothing to learn from.
    """
    loop = Loop(model, train, seed)
    stopping = None
    if valid is not None and len(valid):
        stopping = schedule.EarlyStopping(model, valid, loop.scores, train.n_items, loop.epochs, seed)
    last = model.best_epoch_ if valid is None and model.best_epoch_ else loop.epochs
    best: dict[str, Tensor] = {}
    note, model.training_log_ = "", []
    with progress.bar(f"{model.name}: training", last * loop.steps_an_epoch, "steps") as advance:
        for epoch in range(1, last + 1):
            record = loop.epoch(epoch, partial(advance, 1, note))
            model.training_log_.append(record)
            note = f"loss {record['loss']:.4f}, {record['examples_per_second']:,.0f} examples/s"
            if stopping is None or not stopping.due(epoch):
                continue
            tables = loop.towers.export()
            model.adopt(tables, train)
            record["valid_ndcg"] = stopping.score(epoch)
            note += f", valid NDCG@20 {record['valid_ndcg']:.4f}, best {stopping.best_score:.4f}"
            best = tables if stopping.best_epoch == epoch else best
            if stopping.stop:
                break
    model.adopt(best or loop.towers.export(), train)
    model.best_epoch_ = model.best_epoch_ if stopping is None else stopping.best_epoch
    model.trained_numbers_ = sum(each.numel() for each in loop.towers.trained())


class Loop:
    """Towers, batches and optimiser of one fit."""

    def __init__(self, model: TwoTower, train: Interactions, seed: int) -> None:
        here = compute.current()
        torch.set_num_threads(here.threads)
        self.model, self.train, self.device = model, train, here.device
        # Fresh embeddings are drawn on the CPU: they are the same on every device.
        self.towers = _towers(model, train, torch.Generator().manual_seed(seed)).to(self.device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.batcher = _batcher(model, train, self.generator)
        rows = self.rows()
        if not len(rows):
            raise InputError(
                f"{model.name}: no user has two training interactions, one to learn from the other; "
                "set user_share above 0, or use more data"
            )
        self.steps, self.steps_an_epoch = 0, math.ceil(len(rows) / model.batch_rows)
        first = torch.arange(min(len(rows), model.batch_rows), device=self.device)
        self.scores = len(rows) * len(self.batcher.assemble(rows, first).negative)
        """Scores of a row with a negative in one epoch, about."""
        self.epochs = schedule.horizon(model, self.steps_an_epoch)
        self.optimiser = RowwiseAdamW(self.towers, model.learning_rate, model.weight_decay)
        self.scaler = torch.amp.GradScaler(self.device, enabled=here.precision == "fp16")
        self.precision = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(here.precision)

    def epoch(self, number: int, advance: Callable[[], None]) -> dict[str, float]:
        """One pass over the rows: its number, mean loss, (row, target) pairs a second, and seconds.

        The loss is read from the device once, at the end.
        """
        started, pairs = time.perf_counter(), 0
        total = torch.zeros((), device=self.device)
        for batch in self.batcher.epoch(self.rows()):
            total += self.step(batch)
            pairs += len(batch.row)
            advance()
        loss, seconds = float(total) / self.steps_an_epoch, time.perf_counter() - started
        if not math.isfinite(loss):
            raise RuntimeError(
                f"{self.model.name}: the loss is {loss} in epoch {number}; lower learning_rate"
            )
        return {"epoch": number, "loss": loss, "examples_per_second": pairs / seconds, "seconds": seconds}

    def rows(self) -> Rows:
        """The rows of the next epoch; without those of which nothing is known."""
        if self.model.rows_ == "position":
            rows = position_rows(self.train, self.model.max_history, self.generator.device)
        else:
            rows = user_rows(self.train, self.model.input_share, self.generator)
        speaks_without = self.towers.user is not None or self.towers.user_features is not None
        return rows if speaks_without else rows.with_history()

    def step(self, batch: Batch) -> Tensor:
        """Update the towers by one batch; its loss, float[]."""
        with torch.autocast(self.device, self.precision, enabled=self.precision is not None):
            loss = batch_loss(self.model, self.towers, batch)
        self.scaler.scale(loss).backward()
        parameters = self.optimiser.collect()
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(parameters, self.model.clip_norm)
        self.steps += 1
        done = self.steps / (self.epochs * self.steps_an_epoch + 1)
        self.optimiser.param_groups[0]["lr"] = self.model.learning_rate * schedule.rate(done)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss.detach()


def batch_loss(model: TwoTower, towers: TwoTowers, batch: Batch) -> Tensor:
    """Weighted mean of the model's loss over the pairs of `batch`, float[]."""
    moments, items = towers(batch.moments, batch.items)  # (rows, dim), (items, dim)
    positive = (moments[batch.row] * items[batch.target]).sum(dim=1)  # (pairs,)
    negative = moments @ items[batch.negative].T  # (rows, negatives)
    negative[batch.hit_row, batch.hit_negative] = HIT_SCORE
    loss = model.pair_loss(positive, negative, batch, towers)  # (pairs,)
    return (loss * batch.weight).sum() / batch.weight.sum()


def _towers(model: TwoTower, train: Interactions, generator: torch.Generator) -> TwoTowers:
    by_position = model.rows_ == "position"
    shape = Shape(
        dim=model.embedding_dim,
        cosine=model.similarity == "cosine",
        user_share=model.user_share,
        shared=model.shared_history,
        project=model.project,
        newest=by_position,
        recency=model.recency if by_position else 0.0,
        init_scale=model.init_scale,
    )
    vocabulary = Vocabulary(
        user_known=torch.as_tensor(train.user_counts > 0).float(),
        item_known=torch.as_tensor(train.item_counts > 0).float(),
        item_weight=torch.as_tensor(model.item_weights(train)),
        user_features=train.user_features if model.features else None,
        item_features=train.item_features if model.features else None,
    )
    return TwoTowers(shape, vocabulary, generator)


def _batcher(model: TwoTower, train: Interactions, generator: torch.Generator) -> Batcher:
    counts = torch.as_tensor(train.item_counts, device=generator.device)
    degree = np.maximum(train.user_counts, 1).astype(np.float32)
    return Batcher(
        batch_rows=model.batch_rows,
        sampler=NegativeSampler(counts, model.negatives, model.negative_exponent),
        in_batch=model.in_batch,
        mask_history=model.rows_ == "user",
        user_weight=torch.as_tensor(degree**-model.user_exponent, device=generator.device),
        popularity=counts.double() / counts.sum(),
        generator=generator,
    )
