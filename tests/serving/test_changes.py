"""Changes of a bundle's catalog while it answers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import numpy as np
import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.indexes import KINDS
from retrieval_leaderboard.support.errors import InputError


@pytest.mark.parametrize("kind", KINDS)
def test_items_come_go_and_are_kept(kind, opened, toy_model, new_item):
    recommender = opened(kind)
    pair = ["new 1", "new 2"]
    for item in pair:
        assert recommender.add_item(item, new_item | {"price": 1e8}) == {}
    gone = recommender.recommend("u1").items[:3]
    for item in [*gone, "new 2"]:
        recommender.remove_item(item)
    recommender.add_item(gone[0], new_item)
    everything = recommender.recommend("u1", k=1000, exclude_seen=False).items
    assert len(everything) == len(set(everything)) == len(recommender) == 300 + 2 - 4 + 1
    assert "new 1" in everything and gone[0] in everything
    assert not {"new 2", *gone[1:]} & set(everything)

    recommender.save()
    again = Recommender.open(recommender.folder, toy_model)
    assert again.recommend("u1", k=1000, exclude_seen=False).items == everything
    assert np.array_equal(again.item_vector("new 1"), recommender.item_vector("new 1"))
    assert np.array_equal(again.item_vector(gone[0]), recommender.item_vector(gone[0]))
    again.remove_item("new 1")
    again.save()
    third = Recommender.open(recommender.folder, toy_model)
    assert "new 1" not in third.recommend("u1", k=1000).items


def test_an_item_added_while_another_is_kept_is_not_forgotten(opened, toy_model, new_item, monkeypatch):
    recommender, saving, go_on = opened(), Event(), Event()
    real = recommender.save

    def slow():
        saving.set()
        go_on.wait(10)
        real()

    with ThreadPoolExecutor(2) as threads:
        monkeypatch.setattr(recommender, "save", slow)
        kept = threads.submit(recommender.keep_item, "kept", new_item)
        assert saving.wait(10)
        added = threads.submit(recommender.add_item, "added", new_item)
        sleep(0.05)  # Until it waits for its turn.
        go_on.set()
        assert kept.result(10) == added.result(10) == {}
    real()
    again = Recommender.open(recommender.folder, toy_model)
    assert again.item_vectors(["kept", "added"]).shape == (2, 16)


def test_a_new_item_is_where_its_features_put_it(opened, dataset, new_item):
    recommender = opened()
    features = dataset.train.item_features
    tags = [features["tags"].vocabulary[code] for code in features["tags"].codes[5]]
    color = features["color"].vocabulary[features["color"].codes[5]]
    twin = {"color": color, "tags": tags, "price": float(features["price"].numbers[5])}
    recommender.add_item("twin", twin)
    np.testing.assert_allclose(recommender.item_vector("twin"), recommender.item_vector("i5"), rtol=1e-6)
    assert recommender.add_item("odd", new_item | {"color": "mauve"}) == {"color": ["mauve"]}


@pytest.mark.parametrize("price", [0, 1e8])
def test_extreme_prices_work(price, opened, new_item):
    recommender = opened()
    recommender.add_item("new", new_item | {"price": price})
    assert "new" in recommender.recommend("u1", k=1000).items


def test_an_added_item_in_a_history_is_unknown_and_excluded(opened, new_item):
    recommender = opened()
    recommender.add_item("new", new_item)
    answer = recommender.recommend(history=["i1", "new"], k=1000)
    assert answer.unknown_items == ["new"] and "new" not in answer.items
    assert "new" in recommender.recommend(history=["i1"], k=1000).items


def test_a_removed_item_still_counts_in_histories(opened):
    recommender = opened()
    before = recommender.user_vector(history=["i1", "i2"])
    recommender.remove_item("i1")
    assert np.array_equal(recommender.user_vector(history=["i1", "i2"]), before)
    assert recommender.recommend(history=["i1"]).unknown_items == []


def test_changes_that_cannot_be_are_refused(opened, new_item):
    recommender = opened()
    for call, sentence in (
        (lambda: recommender.add_item("i1", new_item), "'i1' is in the catalog already: remove it first"),
        (lambda: recommender.add_item("", new_item), "item_id must be text, and not empty"),
        (lambda: recommender.add_item(" \t", new_item), "item_id must be text, and not empty or blank"),
        (lambda: recommender.add_item("new", {"color": "c1"}), "the item feature 'tags' is missing"),
        (lambda: recommender.remove_item("nobody"), "'nobody' is not in the catalog"),
    ):
        with pytest.raises(InputError, match=sentence):
            call()
    assert len(recommender) == 300


def test_a_model_that_knows_items_by_id_says_so(opened, new_item, monkeypatch):
    recommender = opened()
    monkeypatch.delattr(type(recommender._searcher.model), "encode_new_items")
    with pytest.raises(InputError, match="described knows items by their id alone"):
        recommender.add_item("new", new_item)
    assert len(recommender) == 300 and "new" not in recommender.recommend("u1", k=1000).items


def test_a_real_model_takes_a_new_item(infonce_bundle, new_item):
    infonce = Recommender.open(infonce_bundle)
    infonce.add_item("new", new_item)
    assert "new" in infonce.recommend("u1", k=1000).items


@pytest.mark.parametrize("kind", KINDS)
def test_searches_and_changes_from_many_threads(kind, opened, new_item):
    recommender = opened(kind)

    def work(number):
        if number % 4:
            return len(recommender.recommend(f"u{number % 60}", k=30).items)
        recommender.add_item(f"new {number}", new_item)
        if number % 8:
            recommender.remove_item(f"new {number}")
        return 30

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(160))) == {30}
    assert len(recommender) == 320
