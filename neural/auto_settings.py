"""What the settings of two-tower models that are "auto" come to on a training part.

Each rule is given the settings as far as they are resolved, in the order of a model's `rules`, the training
part, and the validation queries where there are any.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto

Settings = Mapping[str, Any]

NEIGHBORS, MANY_INTERACTIONS_A_USER = 20, 15
ATTENTION_INTERACTIONS = 500_000
DEEP, MANY_INTERACTIONS_AN_ITEM = "128", 100
FEW_INTERACTIONS_AN_ITEM, SOME_IDS = 20, 0.2
SHARPEST, SOFTEST, SHARP_INTERACTIONS = 0.1, 0.2, 800_000
FEW_INTERACTIONS, TRUST_IN_POPULARITY, SOME_POPULARITY = 5, 0.2, 0.06
STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 3500, 4, 60


def examples(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """One an interaction where the data is in time order and each validation query has one relevant item,
    which comes after the user's training interactions.

    Such queries ask what comes next, and so do those examples; elsewhere a query asks for many items of no
    order, as an example a user does.
    """
    if valid is None or valid.timestamp is None or train.timestamp is None or not train.ordered:
        return "user"
    asks = bool((valid.relevant.lengths == 1).all()) and not valid.early(train).any()
    return "interaction" if asks else "user"


def sequences(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """One a sequence, whatever is asked."""
    return "sequence"


def sequence_dropout(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """0.2 where users have 15 interactions on average, else 0.5, as SASRec's authors have it."""
    return 0.2 if train.interactions_a_user >= MANY_INTERACTIONS_A_USER else 0.5


def features(settings: Settings, train: Interactions, valid: Queries | None) -> bool:
    """Those of items, where items have fewer than 20 interactions: of others the ids say enough."""
    return train.item_features is not None and _sparse(train)


def _sees_features(settings: Settings, train: Interactions) -> bool:
    """Whether towers of these settings see any features: `features` may be asked for where there are none."""
    return bool(settings["features"]) and train.has_features


def _sparse(train: Interactions, an_item: int = FEW_INTERACTIONS_AN_ITEM) -> bool:
    """Whether items have fewer interactions on average."""
    return len(train) < an_item * train.n_items


def id_dropout(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """0.2 with features where items have fewer than 20 interactions, else 0.

    Ids fit so few interactions before the features have learned anything.
    """
    return SOME_IDS if _sees_features(settings, train) and _sparse(train) else 0.0


def mlp(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """128 with features for examples per user, where items have fewer than 100 interactions, else none.

    What a user wants of several features together is no sum of what is wanted of each. An example per
    interaction, with the newest items in its query, gains little by it; of items with many interactions the
    ids say enough.
    """
    few = _sparse(train, MANY_INTERACTIONS_AN_ITEM)
    return DEEP if _sees_features(settings, train) and few and settings["examples"] == "user" else ""


def no_mlp(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """None: items that a deep part makes alike at first stay so under the cosine contrastive loss, for which
    all of them at the margin is a minimum.
    """
    return ""


def neighbors(settings: Settings, train: Interactions, valid: Queries | None) -> int:
    """20 for examples per user, and per interaction where seen items are excluded; none with features where
    items have 20 interactions or more.

    Items taken by the same users say what else a user may take, and little of what comes back.
    """
    new = settings["examples"] == "interaction" and _excludes_seen(valid)
    helps = not _sees_features(settings, train) or _sparse(train)
    return NEIGHBORS if (settings["examples"] == "user" or new) and helps else 0


def _excludes_seen(valid: Queries | None) -> bool:
    """Whether validation queries ask for items that are new to their users."""
    return valid is not None and valid.excludes_seen


def history_encoder(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """The mean for examples per user; per interaction, weights by position, with much data self-attention;
    per sequence, what was made for them.

    A history without order has no positions to tell apart, and attention needs data to be learned from.
    """
    plain = history_encoder_without_attention(settings, train, valid)
    attends = plain == "position_weighted" and len(train) >= ATTENTION_INTERACTIONS
    return "self_attention" if attends else plain


def history_encoder_without_attention(settings: Settings, train: Interactions, valid: Queries | None) -> str:
    """The same without attention: the better the cosine contrastive loss learns it, the worse it ranks."""
    kinds = {"user": "mean", "interaction": "position_weighted", "sequence": "causal"}
    return kinds[settings["examples"]]


def popularity_exponent(settings: Settings, train: Interactions, valid: Queries | None) -> float | Auto:
    """Left to the fit where there are validation queries, and vectors have no lengths of their own.

    Trained towers rank by one exponent as soon as by another: to choose it takes no fit.
    """
    chooses = valid is not None and settings["similarity"] == "cosine"
    return AUTO if chooses else usual_popularity_exponent(settings, train, valid)


def usual_popularity_exponent(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """0 where vectors have lengths of their own, and for examples in time order where seen items may return;
    0.2 for examples per user where users have fewer than 5 interactions on average; else 0.06.

    Vectors of length 1 have little room for how popular an item is. So few interactions leave most of their
    directions to chance, and what many took is the better guess.
    """
    per_user = settings["examples"] == "user"
    new = settings["examples"] == "interaction" and _excludes_seen(valid)
    if settings["similarity"] == "dot" or not (per_user or new):
        return 0.0
    few = train.interactions_a_user < FEW_INTERACTIONS
    return TRUST_IN_POPULARITY if per_user and few else SOME_POPULARITY


def temperature(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """0.1 · (800,000 / training interactions)^¼, yet 0.1 to 0.2: a sharp loss overfits little data."""
    found = SHARPEST * (SHARP_INTERACTIONS / max(len(train), 1)) ** 0.25
    return min(max(found, SHARPEST), SOFTEST)


def bilateral_weight(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """1.1 for examples per user without features, else 1, a plain softmax.

    More than 1 does harm where an example has one target, and where features give every item a vector. 1.2 is
    better on some data, but on other it is so much that users and items are pushed apart whatever was taken.
    """
    return 1.1 if settings["examples"] == "user" and not _sees_features(settings, train) else 1.0


def contrastive_weight(settings: Settings, train: Interactions, valid: Queries | None) -> float:
    """0.004 for examples per user, as SimpleX's authors have it whatever the dataset, else 0.01.

    An example per interaction has but one target, beside which its negatives have to weigh more.
    """
    return 0.004 if settings["examples"] == "user" else 0.01


def epochs(settings: Settings, train: Interactions, valid: Queries | None) -> int:
    """As many as come to 3,500 steps, but from 4 to 60.

    What training needs is steps; few epochs see an example too rarely, many only repeat what is learned.
    """
    steps = math.ceil(n_examples(settings, train) / settings["batch_size"])
    return min(max(math.ceil(STEPS / max(steps, 1)), FEWEST_EPOCHS), MOST_EPOCHS)


def n_examples(settings: Settings, train: Interactions) -> int:
    """Training examples an epoch: those of which anything is known but the target."""
    if settings["examples"] == "sequence":
        return int(np.ceil(np.maximum(train.user_counts - 1, 0) / settings["max_history"]).sum())
    known = settings["user_share"] > 0 or (settings["features"] and train.user_features is not None)
    if settings["examples"] == "interaction":
        return len(train) if known else len(train) - train.active_users
    return train.active_users if known else int((train.user_counts > 1).sum())
