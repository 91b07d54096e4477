import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties, topk
from retrieval_leaderboard.serving import indexes
from retrieval_leaderboard.serving.indexes import KINDS
from retrieval_leaderboard.support.errors import InputError

N, D, K = 600, 16, 20


@pytest.fixture(scope="module")
def items():
    return np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)


@pytest.fixture(scope="module")
def queries():
    return np.random.default_rng(1).normal(size=(50, D)).astype(np.float32)


@pytest.fixture
def build(items):
    return lambda kind: KINDS[kind].build(items)


@pytest.fixture
def shared(build, tmp_path):
    """An index as one of several processes reads it."""

    def read(kind):
        built = build(kind)
        built.write(tmp_path / kind)
        return indexes.read(kind, tmp_path / kind, built.parameters, shared=True)

    return read


def test_the_kind_follows_the_size():
    sizes = (1, 999_999, 1_000_000, 9_999_999, 10_000_000)
    assert [indexes.choose(n).kind for n in sizes] == ["flat", "flat", "ivf_flat", "ivf_flat", "ivf_pq"]


def test_parameters_follow_the_size_and_fit_the_dimension():
    assert KINDS["ivf_pq"].parameters_for(1_000_000, 64) == {
        "nlist": 4000,
        "nprobe": 250,
        "m": 16,
        "nbits": 8,
    }
    assert KINDS["ivf_flat"].parameters_for(1, 64) == {"nlist": 1, "nprobe": 1}
    assert KINDS["ivf_pq"].parameters_for(40, 7)["m"] == 1
    assert KINDS["ivf_pq"].parameters_for(40, 7)["nbits"] == 5


def test_an_unknown_kind_is_refused_by_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'ivf_flat'"):
        indexes.get("ivf-flat")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_tiny_catalog(kind, n, items, queries):
    if (kind, n) == ("ivf_pq", 1):
        with pytest.raises(InputError, match="two items or more"):
            KINDS[kind].build(items[:n])
        return
    built = KINDS[kind].build(items[:n])
    found, _ = built.search(queries[:2], 3, Ragged.from_rows([[0], []]))
    assert 0 not in found[0]
    assert (found >= 0).sum(axis=1).tolist() == [min(3, n - 1), min(3, n)]


def test_flat_is_exact(build, items, queries):
    exclude = Ragged.from_rows([np.arange(row * 3, dtype=np.int32) for row in range(len(queries))])
    expected, scores = topk.inner_product(queries, items, exclude, K)
    found, values = build("flat").search(queries, K, exclude)
    assert np.array_equal(found, expected)
    np.testing.assert_allclose(values, scores, rtol=1e-5)


@pytest.mark.parametrize(("kind", "recall"), [("ivf_flat", 0.6), ("hnsw", 0.95), ("ivf_pq", 0.3)])
def test_the_others_come_near(kind, recall, build, items, queries):
    exact, _ = topk.inner_product(queries, items, Ragged.empty(len(queries)), K)
    found, scores = build(kind).search(queries, K, Ragged.empty(len(queries)))
    assert Ragged.from_rows(list(exact)).contains(found).mean() > recall
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_full_whatever_is_excluded(kind, build, queries):
    kept = np.arange(0, N, 24)
    rows = [np.setdiff1d(np.arange(N), kept), np.arange(5), np.empty(0, dtype=np.int64)]
    exclude = Ragged.from_rows([row.astype(np.int32) for row in rows])
    found, scores = build(kind).search(queries[:3], 25, exclude)
    assert sorted(found[0]) == kept.tolist(), "the 25 items left, and no other"
    assert (found >= 0).all() and np.isfinite(scores).all()
    assert not exclude.contains(found).any()


@pytest.mark.parametrize("kind", KINDS)
def test_k_larger_than_the_index(kind, build, queries):
    found, scores = build(kind).search(queries[:2], N + 5, Ragged.from_rows([[7], []]))
    assert sorted(found[0][: N - 1]) == [label for label in range(N) if label != 7]
    assert (found[0][N - 1 :] == -1).all() and (scores[0][N - 1 :] == -np.inf).all()
    assert sorted(found[1][:N]) == list(range(N)) and (found[1][N:] == -1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_items_come_and_go(kind, build, shared, queries, tmp_path):
    built = build(kind)
    nothing = Ragged.empty(1)
    built.write(tmp_path / "index")
    read = KINDS[kind].read(tmp_path / "index", built.parameters)
    far = 10 * queries[:1]
    for each in (built, read, shared(kind)):
        each.add(np.array([N]), far)
        assert len(each) == N + 1
        found, _ = each.search(queries[:1], K, nothing)
        assert found[0, 0] == N
        removed = np.append(found[0, 1:], N)
        each.remove(removed)
        left, _ = each.search(queries[:1], N, nothing)
        assert len(each) == N + 1 - len(removed)
        assert sorted(left[left >= 0]) == sorted(set(range(N)) - set(removed.tolist()))


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_its_batch(kind, build, queries):
    rows = [np.arange(row * 7, dtype=np.int32) for row in range(len(queries))]
    built = build(kind)
    together, _ = built.search(queries, K, Ragged.from_rows(rows))
    for row in range(0, len(queries), 7):
        alone, _ = built.search(queries[row : row + 1], K, Ragged.from_rows([rows[row]]))
        assert np.array_equal(alone[0], together[row])


def test_an_index_that_lost_everything(build, queries):
    built = build("flat")
    built.remove(np.arange(N))
    found, _ = built.search(queries[:1], 3, Ragged.empty(1))
    assert found.tolist() == [[-1, -1, -1]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distinct", [1, 7])
def test_ties_go_by_tie_rank(kind, distinct, items, queries):
    alike = items[np.arange(N) % distinct]
    built = KINDS[kind].build(alike)
    exclude = Ragged.from_rows([np.arange(row, dtype=np.int32) for row in range(len(queries))])
    found, scores = built.search(queries, K, exclude)
    tied = np.diff(scores) == 0
    assert tied.any()
    assert (np.diff(ties.rank(found.astype(np.int64)))[tied] > 0).all()
    if distinct == 1 and kind in ("flat", "ivf_flat"):
        assert found[0].tolist() == sorted(range(N), key=ties.rank)[:K]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_kept", [0, 1, 30, 60])
def test_a_narrow_filter_finds_the_best_that_are_kept(kind, n_kept, build, queries):
    some, built = queries[:10], build(kind)
    kept = np.zeros(N, dtype=np.bool_)
    kept[np.random.default_rng(n_kept).permutation(N)[:n_kept]] = True
    exclude = Ragged.from_rows([np.flatnonzero(kept)[:row] for row in range(10)])
    ranked, _ = built.search(some, N, Ragged.empty(10))
    found, scores = built.search(some, K, exclude, kept)
    for row in range(10):
        left = [label for label in ranked[row] if kept[label] and label not in exclude[row]][:K]
        assert found[row].tolist() == left + [-1] * (K - len(left))
        assert np.isfinite(scores[row]).sum() == len(left)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_a_broad_filter_misses_no_more_than_none(kind, share, build, items, queries):
    kept = np.random.default_rng(0).random(N) < share
    nothing, built = Ragged.empty(len(queries)), build(kind)
    found, _ = built.search(queries, K, nothing, kept)
    assert (found >= 0).all() and kept[found].all()
    best = np.flatnonzero(kept)[topk.inner_product(queries, items[kept], nothing, K)[0]]
    best_of_all, _ = topk.inner_product(queries, items, nothing, K)
    unfiltered = Ragged.from_rows(list(best_of_all)).contains(built.search(queries, K, nothing)[0]).mean()
    assert Ragged.from_rows(list(best)).contains(found).mean() >= unfiltered
    if kind == "flat":
        assert np.array_equal(found, best)


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_among_items_that_came_and_went(kind, build, shared, queries):
    for each in (build(kind), shared(kind)):
        each.add(np.array([N, N + 1]), 10 * queries[:2])
        each.remove(np.arange(0, N, 2))
        kept = np.ones(N + 2, dtype=np.bool_)
        kept[:N:2], kept[N] = False, False
        found, _ = each.search(queries[:2], N, Ragged.empty(2), kept)
        for row in found:
            assert sorted(row[row >= 0]) == np.flatnonzero(kept).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_index_lies_in_its_file_and_answers_alike(kind, build, shared, queries, tmp_path):
    one, other, nothing = build(kind), shared(kind), Ragged.empty(len(queries))
    if sys.platform == "linux":
        assert str(tmp_path / kind) in Path("/proc/self/maps").read_text()
    for expected, found in zip(
        one.search(queries, K, nothing), other.search(queries, K, nothing), strict=True
    ):
        assert np.array_equal(expected, found)


def test_what_is_added_to_a_shared_flat_index_ranks_as_in_any(build, shared, items, queries):
    one, other, nothing = build("flat"), shared("flat"), Ragged.empty(len(queries))
    later = np.concatenate([items[:30], queries[:10]])  # Ties with what is there, too.
    for each in (one, other):
        each.add(np.arange(N, N + len(later)), later)
        each.remove(np.array([0, N + 1, N + 35]))
    for k in (1, K, N + 50):
        expected, found = one.search(queries, k, nothing), other.search(queries, k, nothing)
        assert np.array_equal(expected[0], found[0])
        np.testing.assert_allclose(expected[1], found[1], rtol=1e-6)


@pytest.mark.parametrize("kind", list(KINDS))
def test_items_of_which_nothing_is_known_are_not_found(kind, items, queries):
    some = items.copy()
    some[::3] = 0
    index = KINDS[kind].build(some)
    labels, _ = index.search(-np.abs(queries), N, Ragged.empty(len(queries)))
    assert set(np.unique(labels)) == {-1, *range(N)} - set(range(0, N, 3))


@pytest.mark.parametrize("kind", list(KINDS))
def test_where_little_is_known_an_index_has_the_size_of_what_is(kind, items, queries):
    some = items.copy()
    some[5:] = 0
    try:
        index = KINDS[kind].build(some)
    except InputError as error:
        assert "hold" in str(error) or "items" in str(error)
    else:
        labels, _ = index.search(queries, 5, Ragged.empty(len(queries)))
        assert set(np.unique(labels)) == set(range(5))


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_zero_vector_ranks_nothing_and_costs_nothing(kind, build, queries, monkeypatch):
    some, exclude = queries.copy(), Ragged.from_rows([np.arange(at % 4, dtype=np.int32) for at in range(50)])
    some[[0, 7, 49]] = 0
    index = build(kind)
    labels, scores = index.search(some, 10, exclude)
    assert (labels[[0, 7, 49]] == -1).all() and np.isneginf(scores[[0, 7, 49]]).all()
    rest = np.flatnonzero(some.any(axis=1))
    expected = index.search(some[rest], 10, exclude.take(rest))
    assert np.array_equal(labels[rest], expected[0]) and np.array_equal(scores[rest], expected[1])
    monkeypatch.setattr(type(index), "nearest", lambda *asked: pytest.fail("it was searched for"))
    assert (index.search(np.zeros_like(some), 10, exclude)[0] == -1).all()
