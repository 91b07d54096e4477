"""What a training will need, told before it begins; one that cannot fit is refused with advice."""

from __future__ import annotations

from pathlib import Path

from datasets.dataset import Features, Interactions
from evaluation import topk, topk_cuda
from neural.two_tower import TwoTower
from support import compute, progress
from support.errors import InputError

FLOAT, LONG = 4, 8
COPIES = 4
"""Of each table: weights, two moments, the best epoch's weights."""
SCORE_COPIES = 8
"""Arrays as large as a batch's scores that a step holds at once: scores, masks, losses, gradients."""
LAYER_COPIES = 4
MIB = 2**20


def check(model: TwoTower, train: Interactions) -> None:
    """Say what training takes, in whole MiB.

    Raises:
        InputError: more than there is.
    """
    device = compute.current().device
    need, free = needed(model, train), available(device)
    kind = "GPU" if device == "cuda" else "main"
    told = f"about {need / MIB:,.0f} MiB of {kind} memory, {free / MIB:,.0f} MiB are free"
    progress.say(f"{model.name}: needs {told}")
    if need > free:
        raise InputError(
            f"{model.name} needs {told}: lower embedding_dim ({model.embedding_dim}), batch_rows "
            f"({model.batch_rows}) or negatives ({model.negatives}), or turn features off"
        )


def needed(model: TwoTower, train: Interactions) -> int:
    """Bytes that training and ranking take at most, beside the data and libraries already loaded."""
    dim = model.embedding_dim
    users, items = (train.user_features, train.item_features) if model.features else (None, None)
    tables = train.n_items * (1 + (not model.shared_history) + (model.rows_ == "position"))
    tables += train.n_users * (model.user_share > 0) + _values(users) + _values(items)
    vectors = (train.n_items + train.n_users) * dim * FLOAT
    codes = _codes(users, train.n_users) + _codes(items, train.n_items)
    return (
        tables * dim * FLOAT * COPIES
        + vectors
        + codes
        + 4 * LONG * len(train)
        + _batch(model, train)
        + _block()
    )


def available(device: str) -> int:
    """Bytes that are free: on the card, or in main memory within the limits of a container."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    lines = Path("/proc/meminfo")
    if not lines.is_file():
        return 2**62
    words = {line.split(":")[0]: line.split()[1] for line in lines.read_text().splitlines()}
    free = int(words["MemAvailable"]) * 1024
    limit, used = (Path(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit.is_file() and used.is_file() and limit.read_text().strip().isdigit():
        free = min(free, int(limit.read_text()) - int(used.read_text()))
    return free


def _values(features: Features | None) -> int:
    """Rows of the embedding table of features."""
    return 0 if features is None else sum(map(len, features.vocabulary.values()))


def _codes(features: Features | None, n: int) -> int:
    if features is None:
        return 0
    several = sum(int(rows.lengths.max(initial=0)) for rows in features.multivalued.values())
    return n * FLOAT * (len(features.categorical) + several + 3 * len(features.numeric))


def _batch(model: TwoTower, train: Interactions) -> int:
    """Bytes of the largest arrays of a step."""
    rows = model.batch_rows
    pairs = rows if model.rows_ == "position" else rows * max(1, len(train) // max(train.n_users, 1))
    negatives = min(model.negatives + pairs * model.in_batch, train.n_items)
    scores = rows * negatives * SCORE_COPIES
    fields = 12 if model.features else 3
    deep = (rows + pairs + negatives) * (fields * model.embedding_dim + sum(model.widths)) * LAYER_COPIES
    attention = (
        rows * model.max_history * model.embedding_dim * 12 * (model.history_encoder == "self_attention")
    )
    return (scores + deep + attention) * FLOAT


def _block() -> int:
    """Bytes of the scores that ranking holds at once."""
    here = compute.current()
    return 2 * FLOAT * topk_cuda.BLOCK_SCORES if here.device == "cuda" else here.threads * topk.BLOCK_BYTES
