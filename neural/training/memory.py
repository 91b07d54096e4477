"""What a training will need, told before it begins; one that cannot fit is refused with advice."""

from __future__ import annotations

from retrieval_leaderboard.datasets.dataset import Features, Interactions
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.evaluation.ranking import topk, topk_cuda
from retrieval_leaderboard.neural.batches import hard_negatives
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.support import compute, memory, progress
from retrieval_leaderboard.support.errors import InputError

FLOAT, LONG = 4, 8
COPIES = 4
"""Of each table: weights, two moments, the best epoch's weights; the mean weights come on top."""
SCORE_COPIES = 8
"""Arrays as large as a batch's scores that a step holds at once: scores, masks, losses, gradients."""
LAYER_COPIES = 4
MIB = 2**20


def check(settings: TowerSettings, train: Interactions) -> None:
    """Say what training takes, in whole MiB.

    Raises:
        InputError: more than there is.
    """
    needs = {"cpu": needed(settings, train)}
    if compute.current().device == "cuda":
        needs = {"cuda": needs["cpu"], "cpu": beside_gpu(settings, train)}
    for device, need in needs.items():
        free = available(device)
        kind = "GPU" if device == "cuda" else "main"
        told = f"about {need / MIB:,.0f} MiB of {kind} memory, {free / MIB:,.0f} MiB are free"
        progress.say(f"{settings.name}: needs {told}")
        if need > free:
            raise InputError(
                f"{settings.name} needs {told}: lower embedding_dim ({settings.embedding_dim}), batch_size "
                f"({settings.batch_size}) or negatives ({settings.negatives}), or turn features off"
            )


def needed(settings: TowerSettings, train: Interactions) -> int:
    """Bytes that training and ranking take at most, beside the data and libraries already loaded."""
    lists = train.n_users * hard_negatives.DEPTH * 2 * FLOAT * (settings.hard_negatives > 0)
    near = train.n_items * _near(settings) * (LONG + FLOAT)
    # An evaluation folds neighbors into tables of its own.
    copies = COPIES + (near > 0) + (settings.averaging > 0)
    stored = (
        _tables(settings, train) * copies + _vectors(settings, train) + _codes(settings, train) + lists + near
    )
    return stored + 4 * LONG * len(train) + _batch(settings, train) + _block()


def beside_gpu(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of main memory where training is on a GPU: fresh and best weights, vectors, codes."""
    return 2 * _tables(settings, train) + _vectors(settings, train) + _codes(settings, train)


def _features(settings: TowerSettings, train: Interactions) -> tuple[Features | None, Features | None]:
    """The tables that the towers see, of users and of items."""
    return (train.user_features, train.item_features) if settings.features else (None, None)


def _tables(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the embedding tables."""
    rows = train.n_items * (1 + (not settings.shared_history) + (settings.examples == "interaction"))
    rows += train.n_users * (settings.user_share > 0) + sum(map(_values, _features(settings, train)))
    return rows * settings.embedding_dim * FLOAT


def _vectors(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the vectors of all users and items."""
    return (train.n_items + train.n_users) * settings.embedding_dim * FLOAT


def available(device: str) -> int:
    """Bytes that are free: on the card, or in main memory within the limits of a container."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    return memory.available()


def _values(features: Features | None) -> int:
    """Rows of the embedding table of features."""
    return 0 if features is None else sum(map(len, features.vocabulary.values()))


def _codes(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the features of all users and items."""
    users, items = _features(settings, train)
    return _columns(users, train.n_users) + _columns(items, train.n_items)


def _columns(features: Features | None, n: int) -> int:
    if features is None:
        return 0
    several = sum(int(rows.lengths.max(initial=0)) for rows in features.multivalued.values())
    return n * FLOAT * (len(features.categorical) + several + 3 * len(features.numeric))


def _batch(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the largest arrays of a step."""
    rows, dim = settings.batch_size, settings.embedding_dim
    a_user = max(1, int(train.interactions_a_user))
    by_position = settings.examples == "interaction"
    pairs = rows if by_position else rows * a_user
    history = rows * (min(settings.max_history, a_user) if by_position else a_user)
    negatives = settings.negatives + pairs * settings.in_batch + rows * settings.hard_negatives
    negatives = min(negatives, train.n_items)
    users, items = map(_fields, _features(settings, train))
    wide = rows * (users + 3) + (pairs + negatives + history) * (items + 1)  # vectors of fields
    wide += history * (settings.history_encoder == "position_weighted")
    deep = (rows + pairs + negatives) * sum(settings.widths)
    attention = rows * settings.max_history * dim * 6 * (settings.history_encoder == "self_attention")
    scores = rows * negatives * SCORE_COPIES
    near = (pairs + negatives + history) * _near(settings)
    leased = near if compute.current().device == "cuda" else min(near, 2 * train.n_items)
    return (scores + ((wide + leased) * dim + deep) * LAYER_COPIES + attention) * FLOAT + near * LONG * 4


def _near(settings: TowerSettings) -> int:
    """Places that an item has for itself and its neighbors; 0 where none are added."""
    k = concrete(settings.neighbors)
    return k + 1 if k else 0


def _fields(features: Features | None) -> int:
    """Vectors that the features of one user or item give."""
    if features is None:
        return 0
    return len(features.categorical) + len(features.multivalued) + len(features.numeric) + 1


def _block() -> int:
    """Bytes of the scores that ranking holds at once."""
    here = compute.current()
    return 2 * FLOAT * topk_cuda.BLOCK_SCORES if here.device == "cuda" else here.threads * topk.BLOCK_BYTES
