"""Training from first to last epoch: validation, early stopping, checkpoints."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions, Queries, update, update_features
from retrieval_leaderboard.evaluation.models.fields import AUTO
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.training import checkpoint, memory, schedule
from retrieval_leaderboard.neural.training.checkpoint import Checkpoints, State, Stored, part, prefixed
from retrieval_leaderboard.neural.training.layout import Layout
from retrieval_leaderboard.neural.training.trainer import Loss, Trainer
from retrieval_leaderboard.neural.training.warm import Start
from retrieval_leaderboard.support import compute, progress, ranks
from retrieval_leaderboard.support.stopping import StoppedError, deferred

VERSION = 2
"""Of what a checkpoint holds: another one's is refused"""
NOTHING_FOUND = (
    "no epoch ranked a relevant item of the validation part: all are trained, as without a validation part"
)
STAGED = ("stage", "training data", "setting popularity_exponent")
"""What differs between the fit that chooses and the one that learns from everything: of "auto", where no
epoch was chosen, the latter has made a number."""


class Choice(NamedTuple):
    """What a fit with validation queries chose."""

    best_epoch: int
    """0 before there was one"""
    log: list[dict[str, float]]
    """One dict an epoch of that fit"""
    exponent: float
    """The popularity exponent; before there was a fit, what the choice begins with"""


@dataclass(frozen=True)
class Trained:
    """What came of a training."""

    towers: TwoTowerModule | None
    """None where a checkpoint is of the fit that comes after this one"""
    choice: Choice
    """Of this fit, if it had validation queries, or else of the one before"""
    log: list[dict[str, float]]
    """One dict an epoch"""
    n_parameters: int


@dataclass(frozen=True)
class Task:
    """What is trained, and how it answers."""

    settings: TowerSettings
    """Resolved"""
    loss: Loss
    recommend: Callable[[TwoTowerModule, Queries, int, float], npt.NDArray[np.int32]]
    """Towers, queries, k and popularity exponent → items int32[q, k]"""


def train(
    task: Task,
    train: Interactions,
    valid: Queries | None,
    seed: int,
    before: Choice,
    checkpoints: Checkpoints | None = None,
    start: Start | None = None,
) -> Trained:
    """Fresh towers, or those of `start`, trained.

    With `valid` they are those of the best epoch, else of the one chosen `before`.

    Raises:
        RuntimeError: the loss is no longer a number.
        InputError: no user has two interactions, so that there is nothing to learn from; it would not
            fit into memory; or the checkpoint to go on from is of another training.
        StoppedError: SIGTERM asked for it; the state is kept where checkpoints are.
    """
    stage = "refit" if valid is None else "choose"
    about = identity(task.settings, train, stage, seed)
    stored = _stored(checkpoints, about)
    if stored is not None and (stored.values["stage"], stage) == ("refit", "choose"):
        choice = Choice(*(stored.values[each] for each in ("best_epoch", "choosing", "exponent")))
        return Trained(None, choice, [], 0)
    return TrainingRun(task, train, valid, seed, before, checkpoints, about, start).run(stored)


class TrainingRun:
    """One training from fresh towers, or from a checkpoint, to its end."""

    def __init__(
        self,
        task: Task,
        train: Interactions,
        valid: Queries | None,
        seed: int,
        before: Choice,
        checkpoints: Checkpoints | None,
        about: dict[str, Any],
        start: Start | None = None,
    ) -> None:
        settings = task.settings
        chosen_before = valid is None and start is None and before.best_epoch > 0
        memory.check(settings, train, told=chosen_before)
        self.task, self.train, self.choice = task, train, before
        self.checkpoints, self.identity = checkpoints, about
        self.trainer = Trainer(settings, task.loss, train, seed, start)
        self.best: dict[str, Tensor] = {}
        self.stopping = None
        if valid is not None and len(valid):
            self.stopping = schedule.EarlyStopping(
                valid, self.trainer.scores, train.n_items, self.trainer.epochs, settings.patience, seed,
                before.exponent, settings.popularity_exponent == AUTO,
            )  # fmt: skip
        chosen = before.best_epoch if valid is None else 0
        self.first, self.last = 1, chosen or self.trainer.epochs
        self.log: list[dict[str, float]] = []
        self.note = ""

    def run(self, stored: Stored | None) -> Trained:
        """Train to the end, from `stored` on where there is one."""
        if stored is not None:
            self._restore(stored)
        steps, done = self.trainer.steps_an_epoch, self.trainer.steps
        with (
            progress.bar(f"{self.task.settings.name}: training", self.last * steps, "steps") as advance,
            deferred() as stop,
        ):
            advance(done)

            def tick() -> None:
                self._keep(stop())  # Before anything is printed: the terminal may be what was closed.
                advance(1, self.note)

            for epoch in range(self.first, self.last + 1):
                if self.stopping is not None and self.stopping.stop:
                    break
                if self.trainer.epoch_state is None:
                    for sampler in self.trainer.batcher.samplers:
                        sampler.begin_epoch(epoch, self._recommend_together, self.train)
                record = self.trainer.epoch(epoch, tick)
                self.log.append(record)
                self.note = f"loss {record['loss']:.4f}, {record['examples_per_second']:,.0f} examples/s"
                self._score(epoch, record)
            self._keep(stop())  # It may have come after the last step.
        return self._finished()

    def _recommend(self, queries: Queries, k: int, exponent: float) -> npt.NDArray[np.int32]:
        return self.task.recommend(self.trainer.group.whole(self.trainer.towers), queries, k, exponent)

    def _recommend_together(self, queries: Queries, k: int) -> npt.NDArray[np.int32]:
        """The same of queries that all processes have: each ranks its share."""
        exponent = (self.stopping or self.choice).exponent
        return np.concatenate(ranks.gather(self._recommend(schedule.dealt(queries), k, exponent)))

    def _score(self, epoch: int, record: dict[str, float]) -> None:
        """Score the epoch where that is due."""
        if self.stopping is None or not self.stopping.due(epoch):
            return
        started, towers = time.perf_counter(), self.trainer.towers
        with self.trainer.averaging.in_force():
            record["valid_ndcg"] = self.stopping.score(epoch, self._recommend)
            record["popularity_exponent"] = self.stopping.exponent
            if self.stopping.best_epoch == epoch:
                self._keep_best(towers)
        record["valid_seconds"] = time.perf_counter() - started
        self.note += f", valid NDCG@20 {record['valid_ndcg']:.4f}, best {self.stopping.best_score:.4f}"

    def _keep_best(self, towers: TwoTowerModule) -> None:
        """Copy the weights into those of the epoch that was best before: there is one copy at most."""
        for name, each in towers.changing_state().items():
            if name in self.best:
                self.best[name].copy_(each)
            else:
                self.best[name] = each.cpu().clone()

    def _finished(self) -> Trained:
        towers = self.trainer.towers
        if self.best:
            towers.load_state_dict(towers.state_dict() | self.best)
        else:
            self.trainer.averaging.swap()
        choice, found = self.choice, self.stopping
        if found is not None:
            choice = Choice(found.best_epoch, self.log, found.best_exponent)
            if not found.best_epoch:
                progress.say(f"{self.task.settings.name}: {NOTHING_FOUND}")
        towers = self.trainer.group.whole(towers)
        return Trained(towers, choice, self.log, sum(each.numel() for each in towers.trained()))

    def _keep(self, stop: bool) -> None:
        """Save the state where a process was asked to stop, or that of rank 0 finds it due."""
        due = self.checkpoints is not None and self.checkpoints.due and ranks.is_main()
        stops, dues = ranks.sum_over(np.array([stop, due], dtype=np.int64))
        if self.checkpoints is not None and (stops or dues):
            self.checkpoints.save(self._state(), Layout.of(self.trainer.towers))
        if stops:
            raise StoppedError("stopped while training")

    def _state(self) -> State:
        values, tensors = self.trainer.state()
        if "epoch" in values:
            values["epoch"]["pairs"] = int(ranks.sum_over(np.array([values["epoch"]["pairs"]]))[0])
            tensors["epoch_loss"] = ranks.sum_over(tensors["epoch_loss"])
        values |= {
            "stage": self.identity["stage"], "log": self.log, "note": self.note,
            "best_epoch": self.choice.best_epoch, "choosing": self.choice.log,
            "exponent": self.choice.exponent,
            "stopping": self.stopping.state() if self.stopping else None,
        }  # fmt: skip
        return State(self.identity, values, tensors | prefixed("best", self.best))

    def _restore(self, stored: Stored) -> None:
        values, tensors = stored.values, stored.read(Layout.of(self.trainer.towers))
        # Another number of processes has not left a state of dropout for each of them.
        tensors = compute.device().rng_state() | tensors
        if not ranks.is_main() and "epoch" in values:  # Its sums are kept by rank 0.
            values = values | {"epoch": values["epoch"] | {"pairs": 0}}
            tensors["epoch_loss"] = torch.zeros_like(tensors["epoch_loss"])
        self.trainer.restore(values, tensors)
        self.best = part("best", tensors)
        self.log, self.note = values["log"], values["note"]
        if self.stopping is not None:
            self.stopping.restore(values["stopping"])
        # Without an epoch underway those in the log are done.
        underway = values.get("epoch", {"number": len(values["log"]) + 1, "step": 0})
        self.first = underway["number"]
        progress.say(f"{self.task.settings.name}: going on in epoch {self.first}, step {underway['step']}")


def _stored(checkpoints: Checkpoints | None, ours: dict[str, Any]) -> Stored | None:
    """The checkpoint to go on from; one of the fit before this one is of no use any more.

    Raises:
        InputError: it is of another training.
    """
    stored = checkpoints.load() if checkpoints else None
    if stored is None or checkpoints is None:
        return None
    stage = ours["stage"]
    same_fit = stored.values["stage"] == stage
    # The other fit learns from other interactions.
    ignored = () if same_fit else STAGED
    theirs, ours = (
        {name: value for name, value in about.items() if name not in ignored}
        for about in (stored.identity, ours)
    )
    checkpoint.check(theirs, ours, checkpoints.folder)
    return stored if same_fit or stage == "choose" else None


def identity(settings: TowerSettings, train: Interactions, stage: str, seed: int) -> dict[str, Any]:
    """What two trainings have in common when one may go on from the other's checkpoint."""
    here = compute.current()
    digest = hashlib.blake2b(digest_size=8)
    update(digest, train.user, train.item, train.timestamp)
    if train.weight is not None:
        update(digest, train.weight)
    for features in (train.user_features, train.item_features, train.context):
        update_features(digest, features)
    return {
        "model": settings.name,
        **{f"setting {name}": value for name, value in asdict(settings).items()},
        "seed": seed,
        "stage": stage,
        "training data": digest.hexdigest(),
        "device": here.device,
        "precision": here.precision,
        "version": VERSION,
    }
