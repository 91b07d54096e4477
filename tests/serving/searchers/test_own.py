"""Bundles of every registered model, and what is peculiar to those that rank by themselves."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import httpx
import numpy as np
import pytest

from retrieval_leaderboard.datasets import Ragged
from retrieval_leaderboard.evaluation import EmbeddingRetriever, Retriever
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.serving.http.app import create_app
from retrieval_leaderboard.serving.searchers import own
from retrieval_leaderboard.support.errors import InputError
from tests.serving.conftest import ITEMS
from tests.serving.running import running

FACTORS, EPOCHS = {"factors": 8, "iterations": 2}, {"epochs": 1}
QUICK = {"als": FACTORS, "ials": FACTORS, "sasrec": EPOCHS, "simplex_ccl": EPOCHS} | {
    "bsl": EPOCHS, "dssm_bce": EPOCHS, "infonce": EPOCHS,
}  # fmt: skip
OWN = [name for name in registry.names() if not issubclass(registry.get(name), EmbeddingRetriever)]
LISTS = ["item_cf", "swing", "rp3beta", "ease"]


@dataclass
class Following(Retriever):
    """The item whose code follows that of the last one."""

    name = "described"  # of the run whose record is kept

    def fit(self, train, valid, seed):
        self.last_ = train.n_items - 1

    def recommend(self, queries, k):
        items, scores = topk.empty(len(queries), k)
        for row in np.flatnonzero(queries.history.lengths):
            items[row, 0], scores[row, 0] = min(queries.history[row][-1] + 1, self.last_), 1
        return items, scores


@pytest.fixture(scope="module")
def made(run_of, dataset, tmp_path_factory):
    """Runs and bundles, one of each model, not to be changed."""
    found = {}

    def make(name):
        if name not in found:
            run, out = run_of(name, **QUICK.get(name, {})), tmp_path_factory.mktemp("bundles") / name
            bundle.write(run, dataset, out)
            found[name] = run, out
        return found[name]

    return make


@pytest.fixture
def copied(made, tmp_path):
    """A copy of the bundle of a model, to be changed."""
    return lambda name: shutil.copytree(made(name)[1], tmp_path / name)


@pytest.fixture
def opened(copied):
    return lambda name: Recommender.open(copied(name))


def popular(dataset):
    """All items that anyone took, by the number of users, and that number."""
    counts = np.bincount(dataset.train_valid.item, minlength=len(dataset.item_ids))
    return {dataset.item_ids[code]: count for code, count in enumerate(counts) if count}


def assert_popular(items, dataset):
    """Items in the order of popularity, of which none is left out."""
    counts = popular(dataset)
    found = [counts[item] for item in items]
    assert found == sorted(counts.values(), reverse=True)[: len(items)] and len(set(items)) == len(items)


def assert_same(answer, items):
    """The items, in their order; those that are equal but for rounding, which some processors do by the shape
    of a matrix product, in any."""
    place = {item: at for at, item in enumerate(answer.items)}
    assert sorted(place) == sorted(items) != []
    moved = [(at, place[item]) for at, item in enumerate(items) if answer.items[at] != item]
    rounding = 4 * float(np.finfo(np.float32).eps)
    assert all(answer.scores[at] == pytest.approx(answer.scores[to], rel=rounding) for at, to in moved)


@pytest.mark.parametrize("name", registry.names())
def test_every_model_serves_what_its_run_ranked(name, made, dataset):
    run, out = made(name)
    with np.load(run / "lists.npz") as stored:
        lists = stored["items"]
    answers = Recommender.open(out).recommend_batch([Request(user) for user in dataset.user_ids])
    for answer, row in zip(answers, lists, strict=True):
        items = dataset.item_ids[row[row >= 0]].tolist()
        if name == "ials":
            assert_same(answer, items)
        else:
            assert answer.items == items != []
        assert answer.known_user and not answer.fallback
        assert answer.scores == sorted(answer.scores, reverse=True)


@pytest.mark.parametrize("name", OWN)
def test_a_given_history_ranks_as_the_model_does(name, opened, dataset):
    recommender = opened(name)
    model = registry.get(name).load(recommender.folder)
    histories = Ragged.from_rows([[1, 2, 30], [7], [250, 4, 4, 9]])
    asked = replace(
        dataset.test.take(np.arange(3)), user=np.full(3, -1, np.int32), history=histories, exclude=histories
    )
    for k in (1, 20, 400):
        items, scores = model.recommend(asked, k)
        for row in range(3):
            answer = recommender.recommend(history=dataset.item_ids[histories[row]].tolist(), k=k)
            found = items[row] >= 0
            assert answer.items == dataset.item_ids[items[row][found]].tolist()
            assert answer.scores == scores[row][found].tolist()
            assert not answer.known_user


@pytest.mark.parametrize("name", OWN)
def test_a_batch_answers_as_single_calls(name, opened, dataset):
    recommender = opened(name)
    recommender.remove_item("i7")
    asked = [Request(user, k=5 + row % 3) for row, user in enumerate(dataset.user_ids[:9])]
    asked += [Request(history=["i1", "i2", "nobody"]), Request("unseen"), Request("u3", exclude_seen=False)]
    asked.append(Request("u3", exclude=["i1", "i2"]))
    asked += [Request("new", features={"segment": "a"}), Request("new", ["i9"], {"segment": "y"}, 40)]
    answers = recommender.recommend_batch(asked)
    for one, answer in zip(asked, answers, strict=True):
        assert recommender.recommend_batch([one]) == [answer]
    assert answers[9].unknown_items == ["nobody"]
    assert answers[-1].unknown_values == {"segment": ["y"]} and len(answers[-1].items) > 0
    assert recommender.recommend_batch([]) == []


@pytest.mark.parametrize("name", OWN)
def test_an_unseen_user_gets_what_is_popular(name, opened, dataset):
    recommender = opened(name)
    for asked in ({"user_id": "unseen"}, {"history": ["nobody"]}, {"features": {"segment": "a"}}):
        answer = recommender.recommend(**asked)
        assert answer.fallback and not answer.known_user and len(answer.items) == 20
        if name != "popular_window":
            assert_popular(answer.items, dataset)
        assert answer.scores == sorted(answer.scores, reverse=True)
    assert not set(recommender.recommend(history=["i1"], k=400).items) & {"i1"}


@pytest.mark.parametrize("name", OWN)
def test_removed_items_stay_away_and_no_new_ones_come(name, opened, new_item):
    recommender = opened(name)
    gone = [recommender.recommend("u1").items[0], recommender.recommend("unseen").items[0]]
    for item in dict.fromkeys(gone):
        recommender.remove_item(item)
    recommender.save()
    again = Recommender.open(recommender.folder)
    for each in (recommender, again):
        for asked in ({"user_id": "u1"}, {"user_id": "unseen"}, {"user_id": "u1", "exclude_seen": False}):
            answer = each.recommend(**asked, k=400)
            assert answer.items and not set(gone) & set(answer.items)
        assert len(each) == 300 - len(set(gone))
    for item in ("new", gone[0]):
        with pytest.raises(InputError, match=f"{name} ranks the items that it was trained with and cannot"):
            recommender.add_item(item, new_item)
    with pytest.raises(InputError, match=f"{name} ranks the items"):
        recommender.keep_item("new", new_item)
    assert again.recommend(history=[gone[0]]).unknown_items == []


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_filled_as_the_model_fills_them(name, opened):
    recommender = opened(name)
    similarity = recommender._searcher.model.similarity_
    item = int(np.argmax(np.diff(similarity.indptr)))
    similar = set(similarity.indices[similarity.indptr[item] : similarity.indptr[item + 1]]) - {item}
    answer = recommender.recommend(history=[f"i{item}"], k=400)
    assert {int(item[1:]) for item in answer.items[: len(similar)]} == similar
    assert (len(answer.items) > len(similar)) is (name != "ease")
    assert not answer.fallback


def test_an_item_without_neighbors_says_nothing_of_the_user(opened, dataset):
    recommender = opened("item_cf")
    model = recommender._searcher.model
    start, stop = model.similarity_.indptr[3:5]
    assert start < stop and not recommender.recommend(history=["i3"]).fallback
    kept = np.delete(np.arange(model.similarity_.nnz), np.arange(start, stop))
    offsets = model.similarity_.indptr.copy()
    offsets[4:] -= stop - start
    parts = model.similarity_.data[kept], model.similarity_.indices[kept], offsets
    model.similarity_ = type(model.similarity_)(parts, shape=model.similarity_.shape)
    answer = recommender.recommend(history=["i3"], exclude_seen=False)
    assert answer.fallback
    assert_popular(answer.items, dataset)


@pytest.mark.parametrize("name", OWN)
def test_a_damaged_or_exchanged_model_is_refused(name, made, copied):
    folder = copied(name)
    assert not (folder / bundle.INDEX).exists() and bundle.read(folder).about.kind == bundle.NO_INDEX
    weights = bytearray((folder / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(weights)
    with pytest.raises(InputError, match=r"weights\.safetensors is not the file that was written"):
        bundle.read(folder)


def test_what_needs_vectors_is_refused(opened, made, dataset, tmp_path):
    recommender = opened("item_cf")
    for call in (lambda: recommender.user_vector("u1"), lambda: recommender.item_vector("i1")):
        with pytest.raises(InputError, match="item_cf has no vectors: it ranks items by itself"):
            call()
    with pytest.raises(
        InputError, match="item_cf has no vectors, and ranks without an index: leave out --kind"
    ):
        bundle.write(made("item_cf")[0], dataset, tmp_path / "out", "flat")


def test_a_model_of_ones_own_ranks_too(dataset, toy_run, tmp_path):
    model, run = Following(), toy_run(6)
    model.fit(dataset.train_valid, None, 0)
    model.save(run)
    bundle.write(run, dataset, tmp_path / "out", model_class=Following)
    recommender = Recommender.open(tmp_path / "out", Following)
    recommender.warm_up()
    answer = recommender.recommend(history=["i5", "i8"], k=3)
    assert answer.items == ["i9"] and answer.scores == [1] and not answer.fallback
    assert len(recommender.recommend("unseen").items) == 20


@dataclass
class RowOfTheLastUser(Following):
    """Knows each user's first item, and forgets that unseen users have none."""

    def fit(self, train, valid, seed):
        self.first_ = np.array([train.by_user[user][0] for user in range(train.n_users)])

    def recommend(self, queries, k):
        items, scores = topk.empty(len(queries), k)
        items[:, 0], scores[:, 0] = self.first_[queries.user], 1
        return items, scores


def test_an_unseen_user_never_gets_the_last_users_list(dataset, toy_run, tmp_path, capsys):
    model, run = RowOfTheLastUser(), toy_run(7)
    model.fit(dataset.train_valid, None, 0)
    model.save(run)
    bundle.write(run, dataset, tmp_path / "out", model_class=RowOfTheLastUser)
    recommender = Recommender.open(tmp_path / "out", RowOfTheLastUser)
    assert "answers unseen users with the list of the known user 'u59'" in capsys.readouterr().out
    for user in ("u0", "u59"):
        (item,) = recommender.recommend(user).items
        assert item == dataset.item_ids[model.first_[int(user[1:])]]
    for asked in ({"user_id": "unseen"}, {"history": ["i1"]}):
        answer = recommender.recommend(**asked)
        assert answer.fallback
        assert_popular(answer.items, dataset)


def test_requests_and_removals_from_many_threads(opened):
    recommender = opened("item_cf")
    recommender.warm_up()

    def work(number):
        if number % 8:
            return len(recommender.recommend(f"u{number % 60}", k=30).items)
        recommender.remove_item(f"i{number}")
        return 30

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(160))) == {30}
    assert len(recommender) == 280


def test_the_service_answers_without_an_index(opened, dataset, new_item):
    recommender = opened("item_cf")
    with running(create_app(recommender)) as port:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert client.get("/health").json()["index"] == "none"
            answer = client.post("/recommend", json={"history": ["i1", "i2"]}).json()
            assert answer["items"] == recommender.recommend(history=["i1", "i2"]).items
            unseen = client.post("/recommend", json={"user_id": "unseen"}).json()
            assert unseen["fallback"] and len(unseen["items"]) == 20
            refused = client.post("/items", json={"item_id": "new", "features": new_item})
            assert refused.status_code == 422
            assert refused.json()["detail"].startswith("item_cf ranks the items that it was trained with")


def test_a_request_in_the_training_period_gets_the_window_of_its_day(opened, dataset):
    recommender = opened("popular_window")
    early = recommender.recommend("unseen", timestamp=0)
    assert early.fallback and len(early.items) == 20


@pytest.mark.parametrize("name", OWN)
def test_a_filter_keeps_the_order_and_fills_the_list(name, opened, dataset):
    recommender = opened(name)
    recommender.remove_item("i7")
    price = dict(zip(dataset.item_ids, dataset.train_valid.item_features["price"].numbers, strict=True))
    requests = [{"user_id": "u1"}, {"history": ["i1", "i2"]}, {"user_id": "unseen"}]
    for asked in requests:
        everything = recommender.recommend(**asked, k=ITEMS).items
        seen = set(price) - set(recommender.recommend(**asked, k=ITEMS, filter={"price": {"min": 0}}).items)
        for low, high in ((0, 1001), (400, 500), (float(price["i3"]), float(price["i3"])), (2000, 3000)):
            expected = [item for item in everything if np.float32(low) <= price[item] <= np.float32(high)]
            matching = {item for item in price if np.float32(low) <= price[item] <= np.float32(high)} - seen
            for k in (1, 20, ITEMS):
                answer = recommender.recommend(**asked, k=k, filter={"price": {"min": low, "max": high}})
                assert answer.items[: len(expected)] == expected[:k]
                assert set(answer.items) <= matching and len(answer.items) == min(k, len(matching))
                assert answer.scores == sorted(answer.scores, reverse=True)
            left = recommender.recommend(
                **asked, filter={"price": {"min": low, "max": high}}, exclude=expected[:2], k=ITEMS
            )
            assert left.items[: len(expected[2:])] == expected[2:]
        assert "i7" in seen and len(seen) < 20


@pytest.mark.parametrize("name", OWN)
def test_filters_of_a_batch_answer_as_single_calls(name, opened, monkeypatch):
    recommender = opened(name)
    wanted = [{"color": ["c1", "c2"]}, {"tags": ["t3"], "price": {"max": 500}}, {"color": ["none"]}, None]
    asked = [Request(f"u{n}", k=5 + n % 2, filter=wanted[n % 4]) for n in range(16)]
    asked += [Request("unseen", filter=wanted[0]), Request(history=["i1"], filter=wanted[1], exclude=["i2"])]
    singles = [recommender.recommend_batch([one])[0] for one in asked]
    assert recommender.recommend_batch(asked) == singles
    monkeypatch.setattr(own, "AWAY_AT_ONCE", 500)
    assert recommender.recommend_batch(asked) == singles, "whatever is ranked together"
