"""Training from first to last epoch: validation, early stopping, checkpoints."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions, Queries, update, update_features
from retrieval_leaderboard.neural.batches import hard_negatives
from retrieval_leaderboard.neural.training import checkpoint, memory, schedule
from retrieval_leaderboard.neural.training.checkpoint import Checkpoints, State, part, prefixed
from retrieval_leaderboard.neural.training.loop import Loop
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.stopping import StoppedError, deferred

STAGED = ("stage", "training data")
"""What differs between the fit that chooses and the one that learns from everything."""


def fit(model: TwoTower, train: Interactions, valid: Queries | None, seed: int) -> None:
    """Train `model`; with `valid`, stop early and answer from the best epoch's towers.

    Raises:
        RuntimeError: the loss is no longer a number.
        InputError: no user has two interactions, so that there is nothing to learn from; it would not
            fit into memory; or the checkpoint to go on from is of another training.
        StoppedError: SIGTERM asked for it; the state is kept where checkpoints are.
    """
    Fit(model, train, valid, seed).run()


class Fit:
    """One fit: from fresh towers, or from a checkpoint, to a model that answers."""

    def __init__(self, model: TwoTower, train: Interactions, valid: Queries | None, seed: int) -> None:
        self.model, self.train, self.stage = model, train, "refit" if valid is None else "choose"
        settings = replace(model, **model.resolved_)
        self.identity = identity(settings, train, self.stage, seed)
        self.checkpoints: Checkpoints | None = model.checkpoints
        stored = self._stored()
        self.superseded = stored is not None and (stored.values["stage"], self.stage) == ("refit", "choose")
        if stored is not None and self.superseded:
            model.best_epoch_ = stored.values["best_epoch"]
            model.choosing_log_ = stored.values["choosing"]
            return
        memory.check(settings, train)
        chosen = model.best_epoch_ if valid is None else 0
        self.loop = Loop(settings, train, seed, chosen)
        self.best: dict[str, Tensor] = {}
        self.stopping = None
        if valid is not None and len(valid):
            loop = self.loop
            self.stopping = schedule.EarlyStopping(
                model, valid, loop.scores, train.n_items, loop.epochs, seed
            )
        self.first, self.last = 1, chosen or self.loop.epochs
        model.training_log_, self.note = [], ""
        if stored is not None:
            self._restore(stored)

    def run(self) -> None:
        """Train to the end, and leave the model ready to answer."""
        if self.superseded:  # The checkpoint is of the fit that comes after this one.
            return
        steps, done = self.loop.steps_an_epoch, self.loop.steps
        with (
            progress.bar(f"{self.model.name}: training", self.last * steps, "steps") as advance,
            deferred() as stop,
        ):
            advance(done)

            def tick() -> None:
                self._keep(stop())  # Before anything is printed: the terminal may be what was closed.
                advance(1, self.note)

            for epoch in range(self.first, self.last + 1):
                if self.stopping is not None and self.stopping.stop:
                    break
                hard_negatives.refresh(self.model, self.loop, epoch)
                record = self.loop.epoch(epoch, tick)
                self.model.training_log_.append(record)
                self.note = f"loss {record['loss']:.4f}, {record['examples_per_second']:,.0f} examples/s"
                self._score(epoch, record)
            if stop():  # It came after the last step.
                self._keep(stop=True)
        self._finish()

    def _score(self, epoch: int, record: dict[str, float]) -> None:
        """Score the epoch where that is due."""
        if self.stopping is None or not self.stopping.due(epoch):
            return
        started = time.perf_counter()
        with self.loop.averaging.in_force():
            self.model.adopt(self.loop.towers, self.train)
            record["valid_ndcg"] = self.stopping.score(epoch)
            if self.stopping.best_epoch == epoch:
                state = self.loop.towers.state_dict()
                self.best = {name: each.cpu().clone() for name, each in state.items()}
        record["valid_seconds"] = time.perf_counter() - started
        self.note += f", valid NDCG@20 {record['valid_ndcg']:.4f}, best {self.stopping.best_score:.4f}"

    def _finish(self) -> None:
        if self.best:
            self.loop.towers.load_state_dict(self.best)
        else:
            self.loop.averaging.swap()
        self.model.adopt(self.loop.towers, self.train)
        if self.stopping is not None:
            self.model.best_epoch_ = self.stopping.best_epoch
            self.model.choosing_log_ = self.model.training_log_
        self.model.trained_numbers_ = sum(each.numel() for each in self.loop.towers.trained())
        self.model.keep_weights()

    def _keep(self, stop: bool) -> None:
        if self.checkpoints is not None and (stop or self.checkpoints.due):
            self.checkpoints.save(self._state())
        if stop:
            raise StoppedError("stopped while training")

    def _state(self) -> State:
        values, tensors = self.loop.state()
        values |= {
            "stage": self.stage, "best_epoch": self.model.best_epoch_,
            "log": self.model.training_log_, "choosing": self.model.choosing_log_, "note": self.note,
            "stopping": self.stopping.state() if self.stopping else None,
        }  # fmt: skip
        return State(self.identity, values, tensors | prefixed("best", self.best))

    def _stored(self) -> State | None:
        """The checkpoint to go on from; one of the fit before this one is of no use any more.

        Raises:
            InputError: it is of another training.
        """
        stored = self.checkpoints.load() if self.checkpoints else None
        if stored is None or self.checkpoints is None:
            return None
        same_fit = stored.values["stage"] == self.stage
        # The other fit learns from other rows.
        known = {name: value for name, value in stored.identity.items() if same_fit or name not in STAGED}
        ours = {name: self.identity[name] for name in self.identity if same_fit or name not in STAGED}
        checkpoint.check(known, ours, self.checkpoints.folder)
        return stored if same_fit or self.stage == "choose" else None

    def _restore(self, stored: State) -> None:
        values, tensors = stored.values, stored.tensors
        self.loop.restore(values, tensors)
        self.best = part("best", tensors)
        self.model.training_log_, self.note = values["log"], values["note"]
        if self.stopping is not None:
            self.stopping.restore(values["stopping"])
        # Without an epoch underway those in the log are done.
        underway = values.get("epoch", {"number": len(values["log"]) + 1, "step": 0})
        self.first = underway["number"]
        progress.say(f"{self.model.name}: going on in epoch {self.first}, step {underway['step']}")


def identity(model: TwoTower, train: Interactions, stage: str, seed: int) -> dict[str, Any]:
    """What two trainings have in common when one may go on from the other's checkpoint."""
    here = compute.current()
    digest = hashlib.blake2b(digest_size=8)
    update(digest, train.user, train.item, train.timestamp)
    for features in (train.user_features, train.item_features, train.context):
        update_features(digest, features)
    return {
        "model": model.name,
        **{f"setting {name}": value for name, value in asdict(model).items()},
        "seed": seed,
        "stage": stage,
        "training data": digest.hexdigest(),
        "device": here.device,
        "precision": here.precision,
    }
