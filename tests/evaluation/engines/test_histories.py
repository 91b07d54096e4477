"""A block of items gets the histories that touch it, and kernels find what they find in the whole log."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines import histories as module
from retrieval_leaderboard.evaluation.engines.histories import Histories, cuts_of, for_kernels, task_bytes
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity
from tests.baselines.logs import dense, interactions, with_weights


@pytest.fixture
def log():
    return with_weights(interactions(np.random.default_rng(0)))


def blocks(found, folder, cuts):
    """The rows that each block is sent, in any order."""
    found.write(folder / "histories", cuts)
    table = pq.read_table(folder / "histories")
    rows = table.take(pc.list_parent_indices(table["blocks"]))
    block = pc.list_flatten(table["blocks"]).to_numpy()
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows.take(pa.array(order[block[order] == number])) for number in range(len(cuts) - 1)]


@pytest.mark.parametrize("file_items", [1, 50, 2**22])
def test_a_block_is_sent_the_users_of_its_items_with_all_they_took(log, tmp_path, monkeypatch, file_items):
    monkeypatch.setattr(module, "FILE_ITEMS", file_items)
    cuts, weights = cuts_of(activity(log), 4), np.arange(log.n_users) + 0.5
    sent = blocks(Histories(log, weights, np.sqrt(log.weight)), tmp_path, cuts)
    matrix = dense(log)
    for first, last, table in zip(cuts[:-1], cuts[1:], sent, strict=True):
        members, taken, user_roots, item_roots, found = for_kernels(table, first, last, log.n_items)
        concerned = np.flatnonzero(matrix[:, first:last].any(axis=1))
        np.testing.assert_array_equal(found, weights[concerned])
        for place, user in enumerate(concerned):
            own = slice(taken[1][place], taken[2][place])
            np.testing.assert_array_equal(taken[0][own], log.by_user[user])
            np.testing.assert_array_equal(item_roots[own] ** 2, matrix[user, log.by_user[user]])
        for item in range(log.n_items):
            own = slice(members[1][item], members[2][item])
            expected = np.flatnonzero(matrix[:, item]) if first <= item < last else []
            np.testing.assert_array_equal(concerned[members[0][own]], expected)
            np.testing.assert_array_equal(user_roots[own] ** 2, matrix[concerned[members[0][own]], item])


def test_users_who_do_not_count_for_an_item_are_not_sent_for_it(log, tmp_path):
    cuts, counted = cuts_of(activity(log), 4), log.user % 2 == 0
    ones = np.ones(log.n_users, np.float32)
    for first, last, table in zip(
        cuts[:-1], cuts[1:], blocks(Histories(log, ones, counted=counted), tmp_path, cuts), strict=True
    ):
        assert all(user % 2 == 0 for user in table["user"].to_pylist())
        members, taken, user_roots, item_roots, weights = for_kernels(table, first, last, log.n_items)
        even = dense(log)[::2, first:last] > 0
        np.testing.assert_array_equal((members[2] - members[1])[first:last], even.sum(axis=0))
        assert user_roots is None and item_roots is None and weights.dtype == np.float32
        assert len(taken[1]) == even.any(axis=1).sum()


def test_blocks_cost_about_the_same_and_each_has_a_user(monkeypatch):
    costs = np.zeros(1000)
    costs[10:900] = np.random.default_rng(0).integers(1, 100, 890)
    costs[50] = 10_000
    cuts = cuts_of(costs, 16)
    sums = np.add.reduceat(costs, cuts[:-1])
    assert (cuts[0], cuts[-1]) == (0, 1000) and 8 < len(sums) <= 16
    assert sums.min() > 0 and np.sort(sums)[-2] < 1.1 * costs.sum() / 16
    assert cuts_of(np.array([0.0, 3.0, 0.0]), 16).tolist() == [0, 3]
    monkeypatch.setattr(module, "BLOCK_BYTES", 4000)
    assert np.sort(np.add.reduceat(costs, cuts_of(costs, 2)[:-1]))[-2] < 1100


def test_a_task_is_told_by_its_block_and_by_the_item_with_the_most(monkeypatch):
    rows = module.ROW_BYTES * 3
    assert task_bytes(np.array([5.0, 1, 2])) == module.COPIES * 4 * 8 + rows
    monkeypatch.setattr(module, "BLOCK_BYTES", 8)
    assert task_bytes(np.array([1.0, 1, 1])) == module.COPIES * 8 + rows
    assert task_bytes(np.array([5.0, 1, 1])) == module.COPIES * 4 * 5 + rows


@pytest.mark.parametrize(("choice", "tasks"), [
    (engines.Choice("spark"), 0),
    (engines.Choice("spark", "local[3]", grouped=True), 1),
    (engines.Choice("spark", "spark://127.0.0.1:7077", grouped=True), 1),
    (engines.Choice("spark", "spark://elsewhere:7077", grouped=True), 0),
    (engines.Choice("spark", grouped=True), 1),
])  # fmt: skip
def test_memory_is_told_of_the_tasks_of_this_machine(monkeypatch, choice, tasks):
    monkeypatch.setattr(engines.choice, "_asked", choice)
    costs = np.array([5.0, 1, 2])
    assert engines.bytes_of_tasks(costs) == tasks * task_bytes(costs)
