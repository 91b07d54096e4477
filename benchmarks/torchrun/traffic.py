"""What a step takes and what it sends, alone and shared by two processes."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.distributed.exchange import SENT
from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.support import compute

FIRST, STEPS = 3, 20
"""Steps that are not timed, and those that are"""


def measured(model: str, settings: dict[str, Any], train: Interactions, tables: str) -> dict[str, Any]:
    """CPU seconds of a step (median), bytes that it sends by what they are, and rows of tables."""
    compute._current = replace(compute.current(), tables=tables)
    made = next(each for each in neural.MODELS if each.name == model)(**settings, epochs=20).resolved(
        train, None
    )
    trainer = Trainer(made, made.pair_loss, train, 0)
    trainer.towers.train()
    batches = trainer.batcher.epoch(trainer.examples())
    for _ in range(FIRST):
        trainer.step(next(batches))
    SENT.clear()
    seconds = []
    for _ in range(STEPS):
        started = time.process_time()
        trainer.step(next(batches))
        seconds.append(time.process_time() - started)
    return {
        "cpu_seconds": statistics.median(seconds),
        "sent": {what: count / STEPS for what, count in sorted(SENT.items())},
        "rows": sum(len(part.rows) for part in trainer.towers.modules() if isinstance(part, Table)),
    }
