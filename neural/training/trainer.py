"""One fit's towers, batches and optimizer, and an epoch of steps over them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.batches.examples import (
    Examples,
    examples_per_interaction,
    examples_per_sequence,
    examples_per_user,
)
from retrieval_leaderboard.neural.distributed.group import Alone, group
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.training import schedule
from retrieval_leaderboard.neural.training.averaging import Averaging
from retrieval_leaderboard.neural.training.build import batcher_of, towers_of
from retrieval_leaderboard.neural.training.checkpoint import Tensors, part, prefixed
from retrieval_leaderboard.neural.training.compiled import Compiled
from retrieval_leaderboard.neural.training.exact import total
from retrieval_leaderboard.neural.training.scores import scores
from retrieval_leaderboard.neural.training.threads import Spare
from retrieval_leaderboard.neural.training.warm import Start
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError

Loss = Callable[[Tensor, Tensor, Batch, TwoTowerModule], Tensor]
"""As `TwoTower.pair_loss`"""
CLIP_NORM = 10.0
"""Largest norm of all gradients of a step together."""
ALONE = Alone()


@dataclass
class EpochState:
    """An epoch that has begun."""

    number: int
    begun: Tensor
    """State of the generator before its first draw"""
    loss: Tensor
    """float[]: sum over its steps so far"""
    step: int = 0
    """Steps done"""
    pairs: int = 0
    seconds: float = 0.0


class Trainer:
    """Towers, batches and optimizer of one fit."""

    def __init__(
        self, settings: TowerSettings, loss: Loss, train: Interactions, seed: int, start: Start | None = None
    ) -> None:
        """The settings are resolved; without a `start` the towers are fresh."""
        here = compute.current()
        self.group = group()
        self.threads = Spare()
        torch.manual_seed(seed)  # For dropout, which draws from PyTorch's own generator.
        if compute.is_deterministic():
            DEVICES[here.device].make_deterministic()
        self.settings, self.loss, self.device = settings, loss, here.device
        # Fresh embeddings are drawn on the CPU: they are the same on every device.
        fresh = torch.Generator().manual_seed(seed)
        towers = towers_of(settings, train, fresh, start.columns if start else None)
        if start is not None:
            start.put_into(towers)
        self.group.prepare(towers, seed)
        self.towers = towers.to(self.device)
        self.batch_loss = Compiled(batch_loss, self.towers) if compute.is_compiled() else batch_loss
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.interactions = self.group.interactions.of(train, self.device, self.towers.columns.context)
        self.batcher = batcher_of(settings, self.interactions, self.generator, self.group.batcher)
        examples = self.examples()
        total = self.group.count(len(examples))
        if not total:
            raise InputError(
                f"{settings.name}: no user has two training interactions, one to learn from the other; "
                "set user_share above 0, or use more data"
            )
        self.steps, self.steps_an_epoch = 0, math.ceil(total / settings.batch_size)
        first = torch.arange(min(total, settings.batch_size), device=self.device)
        negatives = len(self.batcher.assemble(examples, first).negative)
        self.scores = self.group.count(examples.rows) * negatives
        """Scores of a row with a negative in one epoch, about."""
        self.epochs = concrete(settings.epochs)
        self.optimizer = self.group.optimizer(
            self.towers,
            settings.learning_rate,
            settings.weight_decay,
            low_rate=self.towers.low_rate_parameters(),
        )
        before = math.ceil((1 - settings.averaging) * self.epochs * self.steps_an_epoch)
        self.averaging = Averaging(self.towers, before)
        self.scaler = DEVICES[self.device].grad_scaler(here.precision)
        self.precision = here.precision
        self.epoch_state: EpochState | None = None

    def epoch(self, number: int, tick: Callable[[], None]) -> dict[str, float]:
        """One pass over the examples: its number, mean loss, (example, target) pairs a second, and seconds.

        Goes on with the epoch underway where that is `number`. The loss is read from the device once,
        at the end; `tick` is called after every step.
        """
        self.towers.train()
        started = time.perf_counter()
        epoch, batches = self._batches(number)
        before = epoch.seconds
        for batch in batches:
            epoch.loss += self.step(batch)
            epoch.pairs += len(batch.row)
            epoch.step += 1
            self.threads.adapt()
            epoch.seconds = before + time.perf_counter() - started
            tick()
        loss = float(self.group.total(epoch.loss)) / self.steps_an_epoch
        seconds = before + time.perf_counter() - started
        speed = self.group.count(epoch.pairs) / seconds
        self.epoch_state = None
        if not math.isfinite(loss):
            raise RuntimeError(
                f"{self.settings.name}: the loss is {loss} in epoch {number}; lower learning_rate"
            )
        return {
            "epoch": number, "loss": loss, "examples_per_second": speed, "seconds": seconds
        }  # fmt: skip

    def _batches(self, number: int) -> tuple[EpochState, Iterator[Batch]]:
        """The epoch, and its batches that are left."""
        now = self.generator.get_state()
        if self.epoch_state is None or self.epoch_state.number != number:
            self.epoch_state = EpochState(number, now, torch.zeros((), device=self.device))
        epoch = self.epoch_state
        self.generator.set_state(epoch.begun)
        batches = self.batcher.epoch(self.examples(), epoch.step)
        if epoch.step:  # The draws of the steps done are behind us.
            self.generator.set_state(now)
        return epoch, batches

    def examples(self) -> Examples:
        """Those of the next epoch; without those of which nothing is known."""
        if self.settings.examples == "interaction":
            examples = examples_per_interaction(self.interactions, self.settings.max_history)
        elif self.settings.examples == "sequence":
            examples = examples_per_sequence(self.interactions, self.settings.max_history)
        else:
            examples = examples_per_user(self.interactions, self.generator)
        speaks_without = self.towers.user is not None or self.towers.user_features is not None
        return examples if speaks_without else examples.with_history()

    def step(self, batch: Batch) -> Tensor:
        """Update the towers by the loss of `batch`; this process's part of that loss, float[]."""
        with DEVICES[self.device].autocast(self.precision):
            loss = self.batch_loss(self.loss, self.towers, batch, self.group)
        self.scaler.scale(loss).backward()
        self.optimizer.collect()
        self.scaler.unscale_(self.optimizer)
        self.group.agree(self.scaler, self.optimizer)
        self.optimizer.clip(CLIP_NORM)
        self.steps += 1
        done = self.steps / (self.epochs * self.steps_an_epoch + 1)
        share = schedule.rate(done, self.settings.averaging)
        self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * share
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.averaging.look(self.steps)
        return loss.detach()

    def state(self) -> tuple[dict[str, Any], Tensors]:
        """Everything that decides how training goes on: JSON values and tensors; of several processes its
        own part.
        """
        values: dict[str, Any] = {"steps": self.steps, "scaler": self.scaler.state_dict()}
        tensors = prefixed("towers", self.towers.changing_state())
        tensors |= prefixed("optimizer", self.optimizer.tensors())
        tensors |= prefixed("sampling", self.batcher.state())
        tensors |= prefixed("averaging", self.averaging.tensors())
        tensors |= {"generator": self.generator.get_state()} | DEVICES[self.device].rng_state()
        if self.epoch_state is not None:
            epoch = self.epoch_state
            values["epoch"] = {name: getattr(epoch, name) for name in ("number", "step", "pairs", "seconds")}
            tensors |= {"epoch_begun": epoch.begun, "epoch_loss": epoch.loss}
        return values, {name: each.detach().cpu().clone() for name, each in tensors.items()}

    def restore(self, values: dict[str, Any], tensors: Tensors) -> None:
        """Go on from what `state` gave."""
        self.steps = values["steps"]
        self.scaler.load_state_dict(values["scaler"])
        self.towers.load_state_dict(self.towers.state_dict() | part("towers", tensors))
        self.optimizer.load_tensors(part("optimizer", tensors))
        self.batcher.load_state(part("sampling", tensors))
        self.averaging.load_tensors(part("averaging", tensors))
        self.generator.set_state(tensors["generator"])
        DEVICES[self.device].set_rng_state(tensors)
        if "epoch" in values:
            loss = tensors["epoch_loss"].to(self.device)
            self.epoch_state = EpochState(begun=tensors["epoch_begun"], loss=loss, **values["epoch"])


def batch_loss(pair_loss: Loss, towers: TwoTowerModule, batch: Batch, shared_by: Alone = ALONE) -> Tensor:
    """The weighted mean of the loss over the pairs of a batch, float[]: the part of this process."""
    queries, items = shared_by.vectors(towers, batch)  # (rows, dim), (items, dim)
    loss = pair_loss(*scores(queries, items, batch), batch, towers)  # (pairs,)
    return total(loss * batch.weight) / shared_by.total(total(batch.weight))
