"""This suite, through the same door as the others."""

import numpy as np
from adapter import K, main

WARM_USERS = 100


def prepare(data, work, cost):
    from retrieval_leaderboard.support import compute, progress

    progress.configure(quiet=True)
    compute.configure("cpu")
    train = interactions(data, data.n_users)
    # Kernels are compiled at their first use on a machine; that is not what is timed.
    few = interactions(data, WARM_USERS)
    warm = model_of(work)
    warm.fit(few, None, 0)
    warm.recommend(queries(few, np.arange(WARM_USERS, dtype=np.int32)), K)

    def fit():
        model = model_of(work)
        model.fit(train, None, 0)
        return lambda data: model.recommend(queries(train, data.query), K)[0]

    return fit


def interactions(data, users):
    from retrieval_leaderboard.datasets import Interactions

    pairs = slice(0, data.offsets[users])
    return Interactions(data.user[pairs], data.item[pairs], None, users, data.n_items, ordered=False)


def queries(train, users):
    from retrieval_leaderboard.datasets import Queries, Ragged

    rows = train.by_user.take(users.astype(np.int64))
    return Queries(users, history=rows, exclude=rows, relevant=Ragged.empty(len(users)))


def model_of(work):
    from retrieval_leaderboard.baselines.als import ALS
    from retrieval_leaderboard.baselines.item_cf import ItemCF
    from retrieval_leaderboard.baselines.swing import Swing
    from retrieval_leaderboard.neural.infonce import InfoNCE
    from retrieval_leaderboard.neural.simplex_ccl import SimpleX

    match work["model"]:
        case "item_cf":
            cosine = {"user_exponent": 0.0, "target_exponent": 0.5, "shrinkage": 0.0, "amplification": 1.0}
            cosine |= {"history_exponent": 0.5, "normalization": 0.0}
            return ItemCF(top_k=work["neighbors"], prune_axis=work["prune_axis"], **cosine)
        case "als":
            names = ("factors", "regularization", "alpha", "iterations")
            return ALS(**{name: work[name] for name in names})
        case "swing":
            plain = {"history_exponent": 0.0, "target_exponent": 0.0, "prune_axis": "history"}
            plain |= {"user_exponent": 0.5, "normalization": 0.0}
            return Swing(top_k=work["neighbors"], alpha=work["smoothing"], **plain)
        case "bpr":
            return InfoNCE(epochs=work["epochs"])
        case "simplex":
            return SimpleX(epochs=work["epochs"], negatives=work["negatives"])


main(prepare, "numpy", "numba", "implicit", "scipy", "torch")
