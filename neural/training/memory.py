"""What a training will need, said before it begins; one that cannot fit is refused with advice."""

from __future__ import annotations

import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Features, Vector
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.neural.batches.negatives import SAMPLERS
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.towers.vocabulary import Vocabulary
from retrieval_leaderboard.neural.training.build import columns_of
from retrieval_leaderboard.support import compute, progress, ranks
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError

FLOAT, LONG = 4, 8
COPIES = 4
"""Of each table: weights, two moments, the best epoch's weights; the mean weights come on top."""
SCORE_COPIES = 8
"""Arrays as large as a batch's scores that a step holds at once: scores, masks, losses, gradients."""
CAUSAL_SCORE_COPIES = 3
"""The same for sequences in main memory, measured: their layers hold the rest by then"""
LAYER_COPIES = 4
GATHERED_COPIES = 3
"""Of the vectors of a batch's items that several processes gather: padded shares, vectors, gradients"""
CAUSAL_COPIES, CAUSAL_ENDS = 20, 11
"""Vectors of a history item that a layer of the causal transformer holds at once, padding included; and that
are held before the first layer and behind the last: measured"""
VECTOR_COPIES = 3
"""Of the feature vectors of a step: gathered, centered, scaled."""
EXAMPLES = {"user": (46, 66), "interaction": (88, 12), "sequence": (16, 92)}
"""Bytes for each interaction, and for each user or stretch of one, while the examples of an epoch are made:
measured, by kind of example"""
DEALT_EXAMPLES = {"user": (8, 32), "interaction": (8, 32), "sequence": (0, 32)}
"""And what each of several processes holds of all of them, beside its part: numbers drawn and their order,
and where each user's examples begin"""
PLACE = 8
"""Bytes for each interaction that a process has of several: which one it is"""
ITEM = 40
"""Bytes for each item: how often it was taken, and its chance to be drawn"""
MIB = 2**20


def check(settings: TowerSettings, train: Interactions, told: bool = False) -> None:
    """Say what training takes, in whole MiB, unless it was `told` before, of a fit to a little less data.

    Raises:
        InputError: more than there is.
    """
    device = compute.device()
    needs = {device: needed(settings, train)}
    if not device.shares_main_memory:
        needs[DEVICES["cpu"]] = beside_accelerator(settings, train)
    for where, need in needs.items():
        together = ranks.local_world() if where.shares_main_memory else 1
        need, free = need * together, where.free_bytes()
        by = f" for {together} processes" if together > 1 else ""
        summary = (
            f"about {need / MIB:,.0f} MiB of {where.memory_name} memory{by}, {free / MIB:,.0f} MiB are free"
        )
        if not told:
            progress.say(f"{settings.name}: needs {summary}")
        if need > free:
            raise InputError(
                f"{settings.name} needs {summary}: lower embedding_dim ({settings.embedding_dim}), "
                f"batch_size ({settings.batch_size}) or negatives ({settings.negatives}), or turn "
                "features off"
            )


def needed(settings: TowerSettings, train: Interactions) -> int:
    """Bytes that training and ranking take at most, beside the data and libraries already loaded."""
    lists = sum(sampler.kept_bytes(settings, train.n_users) for sampler in SAMPLERS)
    near = train.n_items * _near(settings) * (LONG + FLOAT)
    # An evaluation folds neighbors into tables of its own.
    copies = COPIES + (near > 0) + (settings.averaging > 0)
    stored = (
        _copies(_tables(settings, train), copies)
        + _vectors(settings, train)
        + _codes(settings, train)
        + lists
        + near
    )
    if not compute.device().shares_main_memory:
        stored += sum(_vector_bytes(each, each.n_rows) for each in _features(settings, train) if each)
    return stored + examples(settings, train) + _batch(settings, train) + topk.block_bytes()


def examples(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the interactions, and of the examples and the order that an epoch makes of them, in a process:
    of several, each has the interactions of its own users.
    """
    kind = settings.examples
    an_interaction, a_user = EXAMPLES[kind]
    copied = kind != "sequence"  # The others leave examples out, or put their items in an order of their own.
    if settings.context and train.context is not None:
        an_interaction += FLOAT * Columns.of(train.context).width(train.context) * (1 + copied)
    if train.weight is not None:
        an_interaction += FLOAT * (1 + (kind == "user"))
    stretches = len(train) // settings.max_history if kind == "sequence" else 0
    users, world = max(train.n_users, stretches), ranks.world()
    place, of_all = (PLACE, DEALT_EXAMPLES[kind]) if world > 1 else (0, (0, 0))
    own = (an_interaction + place) * -(-len(train) // world) + a_user * -(-users // world)
    return own + of_all[0] * len(train) + of_all[1] * users + ITEM * train.n_items


def beside_accelerator(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of main memory where training is in another: fresh and best weights, vectors, codes."""
    return 2 * _tables(settings, train) + _vectors(settings, train) + _codes(settings, train)


def _features(settings: TowerSettings, train: Interactions) -> tuple[Features | None, Features | None]:
    """The tables that the towers see, of users and of items."""
    return (train.user_features, train.item_features) if settings.features else (None, None)


def _tables(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of all that is learned, by towers that have shapes alone."""
    with torch.device("meta"):
        users, items = torch.empty(train.n_users), torch.empty(train.n_items)
        vocabulary = Vocabulary(users, items, items, columns_of(settings, train))
        towers = TwoTowerModule(settings, vocabulary, None)
    return sum(each.numel() * each.element_size() for each in towers.trained())


def _copies(tables: int, copies: int) -> int:
    """Bytes of so many copies of what is learned that one process has; where tables are dealt out, an
    evaluation wants them whole.
    """
    dealt = compute.current().tables == "sharded" and ranks.world() > 1
    return tables * copies // ranks.world() + tables if dealt else tables * copies


def _vectors(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the vectors of all users and items."""
    return (train.n_items + train.n_users) * settings.embedding_dim * FLOAT


def _codes(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the features of all users and items."""
    users, items = _features(settings, train)
    return _columns(users, train.n_users) + _columns(items, train.n_items)


def _columns(features: Features | None, n: int) -> int:
    return 0 if features is None else n * FLOAT * Columns.of(features).width(features)


def _vector_bytes(features: Features | None, n: int) -> int:
    """Bytes of the vectors that are features of n users or items."""
    columns = [] if features is None else features.columns.values()
    return n * FLOAT * sum(column.width for column in columns if isinstance(column, Vector))


def _batch(settings: TowerSettings, train: Interactions) -> int:
    """Bytes of the largest arrays of a step in a process: of several, each has a part of the examples and of
    the items that are encoded, and scores its examples with the items of all.
    """
    dim, world, kind = settings.embedding_dim, ranks.world(), settings.examples
    a_user = max(1, int(train.interactions_a_user))
    targets = {"user": a_user, "interaction": 1, "sequence": min(settings.max_history, a_user)}[kind]
    pairs = settings.batch_size * targets
    negatives = min(sum(each.most(settings, settings.batch_size, pairs) for each in SAMPLERS), train.n_items)
    examples, items = -(-settings.batch_size // world), -(-(pairs + negatives) // world)
    history = examples * (a_user if kind == "user" else min(settings.max_history, a_user))
    rows = history if kind == "sequence" else examples
    users, features = _features(settings, train)
    wide = examples * (_fields(users) + 3) + (items + history) * (_fields(features) + 1)  # of fields
    wide += history * (settings.history_encoder == "position_weighted")
    deep = (examples + items) * sum(settings.widths)
    causal = settings.attention_layers * (settings.history_encoder == "causal")
    in_main_memory = compute.device().shares_main_memory
    fused = in_main_memory and compute.current().precision == "fp32"
    a_place = settings.attention_heads * 2 if fused else dim * 6
    attention = examples * settings.max_history * a_place * (settings.history_encoder == "self_attention")
    attention += history * dim * (causal * CAUSAL_COPIES + (causal > 0) * CAUSAL_ENDS)
    lean = causal and in_main_memory
    scores = rows * negatives * (CAUSAL_SCORE_COPIES if lean else SCORE_COPIES)
    gathered = (pairs + negatives) * dim * GATHERED_COPIES * (world > 1)
    near = (items + history) * _near(settings)
    leased = near if compute.device().asynchronous else min(near, 2 * train.n_items)
    given = _vector_bytes(users, examples) + _vector_bytes(features, items + history)
    learned = scores + gathered + ((wide + leased) * dim + deep) * LAYER_COPIES + attention
    return learned * FLOAT + near * LONG * 4 + given * VECTOR_COPIES


def _near(settings: TowerSettings) -> int:
    """Places that an item has for itself and its neighbors; 0 where none are added."""
    k = concrete(settings.neighbors)
    return k + 1 if k else 0


def _fields(features: Features | None) -> int:
    """Vectors that the features of one user or item give."""
    return 0 if features is None else Columns.of(features).fields
