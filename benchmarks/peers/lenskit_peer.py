"""LensKit: item neighbors and ALS, in its standard pipeline."""

import logging

import numpy as np
from adapter import CORES, K, children_mib, main, padded


def prepare(data, work, cost):
    import pandas as pd
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.pipeline import topn_pipeline

    logging.disable(logging.WARNING)
    frame = pd.DataFrame({"user_id": data.user, "item_id": data.item})
    dataset = from_interactions_df(frame)
    pipeline = topn_pipeline(scorer(work), n=K)

    def fit():
        pipeline.train(dataset)
        return rank

    def rank(data):
        found = recommend(pipeline, data.query.tolist(), K, n_jobs=CORES)
        cost.children_mib = children_mib()
        return lists(found, data.query)

    return fit


def scorer(work):
    from lenskit.als import ImplicitMFScorer
    from lenskit.knn import ItemKNNScorer

    if work["model"] == "item_cf":
        # Every history is shorter than 10,000: all its items count.
        return ItemKNNScorer(max_nbrs=10_000, save_nbrs=work["neighbors"], feedback="implicit")
    return ImplicitMFScorer(
        embedding_size=work["factors"],
        epochs=work["iterations"],
        regularization=work["regularization"],
        # LensKit adds the weight to the 1 of an item not taken; others give the sum.
        weight=work["alpha"] - 1,
        user_embeddings="prefer",
    )


def lists(found, users):
    by_user = {key.user_id: np.asarray(items.ids()) for key, items in found.items()}
    return padded([by_user[user] for user in users.tolist()])


if __name__ == "__main__":
    main(prepare, "lenskit", "numpy", "scipy", "torch")
