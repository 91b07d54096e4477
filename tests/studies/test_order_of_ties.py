"""The study of ties: its chain, its orders, and which rows it sets side by side."""

from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.studies import order_of_ties
from retrieval_leaderboard.studies.order_of_ties import DRAWN, Record
from retrieval_leaderboard.support import pages
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.splits.hand_made import make_log, one_user
from tests.evaluation import stored

CYCLE = [(user, (user + step) % 20, 0) for user in range(20) for step in range(6)]
"""Each user takes items in a cycle, all at one time"""


def test_the_chain_counts_what_comes_next():
    log = make_log([*one_user(0, 1, 2, 3), (1, 0, 1), (1, 1, 2), (1, 3, 3), (1, 2, 4)])
    train = split(log, "leave-last-one", True, 0).train_valid
    steps = order_of_ties.chain(train).toarray()
    assert np.argwhere(steps).tolist() == [[0, 1], [1, 2], [1, 3]]
    np.testing.assert_allclose(steps[0, 1], 2 / (np.sqrt(2) + order_of_ties.SHRINKAGE))


def test_an_order_that_repeats_is_learned_and_a_drawn_one_is_not():
    log = make_log(CYCLE)
    assert order_of_ties._scored(log, "as in the source") == [1.0]
    drawn = order_of_ties._scored(log, DRAWN)
    assert len(drawn) == order_of_ties.SEEDS and max(drawn) < 1.0


def test_unseen_items_alone_are_recommended():
    dataset = split(make_log(CYCLE, ties="source"), "leave-last-one", True, 0)
    lists = order_of_ties.recommend(order_of_ties.chain(dataset.train_valid), dataset.test, 2)
    for query, items in enumerate(lists):
        assert len({*items}) == 2 and not {*items} & {*dataset.test.exclude[query]}


def test_reordered_logs_keep_their_rows_together():
    log = make_log(one_user(3, 1, 2), rating=np.array([5, 1, 2], np.float32))
    backward = order_of_ties.reordered(log, order_of_ties.ORDERS["as in the source, backward"](log, None))
    assert (backward.item.tolist(), backward.rating.tolist()) == ([2, 1, 3], [2, 1, 5])


def test_files_that_are_elsewhere_are_told(tmp_path: Path):
    with pytest.raises(InputError, match=r"ml-1m is not in .*; give the folder that it is in by --data-dir"):
        order_of_ties.run("ml-1m", tmp_path)
    with pytest.raises(InputError, match="unknown dataset of this study 'gowalla'"):
        order_of_ties.run("gowalla", tmp_path)


def test_tables(tmp_path: Path):
    assert order_of_ties.tables([], tmp_path) == {"chain": pages.NOT_MEASURED, "rows": pages.NOT_MEASURED}
    record = Record("ml-1m", 0.81, {DRAWN: [0.08, 0.12], "by item id": [0.125]}, "c", "d")
    about = {"name": "ml-1m", "protocol": "leave-last-one", "k": 10}
    for fingerprint, ties, ndcg in (("a", "random", 0.1), ("b", "source", 0.15)):
        for model in ("item_cf", "als") if ties == "random" else ("item_cf",):
            run = stored.record(model, fingerprint=fingerprint, ndcg=ndcg, ties=ties, **about)
            stored.keep(tmp_path / "ml-1m" / "runs" / run.stem, run)
    found = order_of_ties.tables([record], tmp_path)
    assert (
        "| by item id" in found["chain"] and "+25%" in found["chain"] and "0.1000 ± 0.0283" in found["chain"]
    )
    assert found["rows"].count("item_cf") == 1 and "+50%" in found["rows"] and "als" not in found["rows"]
