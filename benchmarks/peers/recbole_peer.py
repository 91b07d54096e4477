"""RecBole: ItemKNN, BPR and SimpleX, ranked and scored by its own trainer."""

import os
import sys
from pathlib import Path

import numpy as np
from adapter import CORES, K, main

USERS_A_BLOCK = 256


def prepare(data, work, cost):
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    torch.set_num_threads(CORES)
    # RecBole leaves logs and the like where it runs: beside what this process writes.
    folder = Path(sys.argv[3]).resolve().parent
    os.chdir(folder)
    write(folder / "peer", data)
    name = {"item_cf": "ItemKNN", "bpr": "BPR", "simplex": "SimpleX"}[work["model"]]
    config = Config(model=name, dataset="peer", config_dict=settings(folder, data, work))
    init_seed(0, reproducibility=True)
    train, _, test = data_preparation(config, create_dataset(config))

    def fit():
        # ItemKNN does all of its work, ranking's matrix product included, while it is made.
        model = get_model(name)(config, train.dataset)
        trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
        if work["model"] != "item_cf":
            trainer.fit(train, saved=False, show_progress=False, verbose=False)
        return lambda data: ranked(trainer, test, data, cost)

    return fit


def ranked(trainer, test, data, cost):
    """The lists that RecBole's own evaluation made, in codes of `data`."""
    kept = {}
    collected = trainer.eval_collector.get_data_struct

    def keep():
        kept["struct"] = collected()
        return kept["struct"]

    trainer.eval_collector.get_data_struct = keep
    said = trainer.evaluate(test, load_best_model=False)
    cost.said = {"recall": float(said[f"recall@{K}"]), "ndcg": float(said[f"ndcg@{K}"])}
    dataset = test._dataset
    item_code = np.array([-1, *dataset.field2id_token["item_id"][1:].astype(np.int64)])
    user_code = np.array([-1, *dataset.field2id_token["user_id"][1:].astype(np.int64)])
    row_of = np.full(data.n_users, -1)
    row_of[data.query] = np.arange(len(data.query))
    items = np.full((len(data.query), K), -1, np.int32)
    items[row_of[user_code[test.uid_list.numpy()]]] = item_code[kept["struct"].get("rec.items").numpy()]
    return items


def write(folder, data):
    """RecBole's files of training, validation and test; it wants a validation part, of one pair here."""
    folder.mkdir()
    test_user = data.query[data.test_query]
    parts = {
        "train": (data.user, data.item),
        "valid": (test_user[:1], data.test_item[:1]),
        "test": (test_user, data.test_item),
    }
    for part, (user, item) in parts.items():
        lines = [f"{u}\t{i}" for u, i in zip(user.tolist(), item.tolist(), strict=True)]
        text = "\n".join(["user_id:token\titem_id:token", *lines]) + "\n"
        (folder / f"peer.{part}.inter").write_text(text)


def settings(folder, data, work):
    common = {
        "data_path": str(folder),
        "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": ["user_id", "item_id"]},
        # Entropy has the lists kept, which the others do without.
        "metrics": ["Recall", "NDCG", "ShannonEntropy"],
        "topk": [K],
        "valid_metric": f"NDCG@{K}",
        # The default of 4,096 scores is one user at a time.
        "eval_batch_size": USERS_A_BLOCK * (data.n_items + 1),
        "show_progress": False,
        "state": "ERROR",
        "use_gpu": False,
        "seed": 0,
    }
    if work["model"] == "item_cf":
        return common | {"k": work["neighbors"], "shrink": 0.0}
    common |= {"epochs": work["epochs"], "embedding_size": 64}
    sampled = {"distribution": "uniform", "sample_num": work["negatives"], "dynamic": False}
    return common | {"train_neg_sample_args": sampled}


main(prepare, "recbole", "numpy", "pandas", "scipy", "torch")
