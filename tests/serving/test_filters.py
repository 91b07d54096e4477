"""Filters by item columns: whatever finds the items, none that does not match, and no list too short."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Features
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.serving.bundles import bundle, journal
from retrieval_leaderboard.serving.indexes import KINDS
from retrieval_leaderboard.support.errors import InputError
from tests.serving.conftest import ITEMS
from tests.serving.described import Described

FILTERS = [
    {"color": ["c3"]},
    {"color": ["c1", "c1", "never seen", 7]},
    {"tags": ["t2", "t5"]},
    {"price": {"min": 250}},
    {"price": {"max": 45.5}},
    {"price": {"min": 100, "max": 900}, "color": ("c0", "c2", "c4"), "tags": ["t0", "t1", "t2"]},
    {"price": {"min": 0, "max": 5000}},
]


def raw_of(dataset):
    """item id → its raw values."""
    features = dataset.train_valid.item_features
    color, tags, price = features["color"], features["tags"], features["price"]
    return {
        item: {
            "color": [color.vocabulary[color.codes[code]]],
            "tags": [tags.vocabulary[each] for each in tags.codes[code]],
            "price": price.numbers[code],
        }
        for code, item in enumerate(dataset.item_ids)
    }


def matches(values, wanted):
    """Whether an item's raw values fit a filter."""
    for name, condition in wanted.items():
        if name == "price":
            low, high = condition.get("min", -np.inf), condition.get("max", np.inf)
            if not np.float32(low) <= values[name] <= np.float32(high):
                return False
        elif not set(values[name]) & set(map(str, condition)):
            return False
    return True


@pytest.fixture
def raw(dataset):
    return raw_of(dataset)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_filter_gives_what_brute_force_gives(kind, exclude_seen, opened, raw):
    recommender = opened(kind)
    asked = {"user_id": "u4", "exclude_seen": exclude_seen}
    everything = recommender.recommend(**asked, k=ITEMS).items
    for wanted in FILTERS:
        expected = [item for item in everything if matches(raw[item], wanted)]
        assert len(expected) > 3
        for k in (1, 5, 20, ITEMS):
            assert recommender.recommend(**asked, k=k, filter=wanted).items == expected[:k]
        excluded = [*expected[:3], expected[-1]]
        answer = recommender.recommend(**asked, k=20, filter=wanted, exclude=[*excluded, "nothing"])
        assert answer.items == expected[3:-1][:20]


@pytest.mark.parametrize("kind", KINDS)
def test_filters_that_leave_one_or_no_item(kind, opened, raw):
    recommender = opened(kind)
    price = float(raw["i7"]["price"])
    only = {"price": {"min": price, "max": price}}
    assert recommender.recommend("unseen", filter=only).items == ["i7"]
    assert recommender.recommend("unseen", filter=only, exclude=["i7"]).items == []
    for nothing in ({"color": ["none has it"]}, {"color": []}, {"price": {"min": 1e6}}):
        answer = recommender.recommend("u1", filter=nothing)
        assert answer.items == [] and answer.scores == [] and not answer.fallback
    assert recommender.recommend("u1", filter={}) == recommender.recommend("u1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_single_calls(kind, opened):
    recommender = opened(kind)
    recommender.remove_item("i7")
    asked = [Request(f"u{n}", k=5 + n % 2, filter=wanted) for n, wanted in enumerate([*FILTERS, None] * 3)]
    asked += [Request(history=["i1", "i2"], filter=FILTERS[0], exclude=["i3", "i4"], exclude_seen=False)]
    for one, answer in zip(asked, recommender.recommend_batch(asked), strict=True):
        (alone,) = recommender.recommend_batch([one])
        assert alone.items == answer.items and "i7" not in answer.items
        np.testing.assert_allclose(alone.scores, answer.scores, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_added_items_are_filtered_by_what_they_came_with(kind, opened):
    recommender = opened(kind)
    item = {"color": "mauve", "tags": ["t1", "new tag"], "price": 5000.25}
    recommender.keep_item("added", item)
    recommender.add_item("bare", dict.fromkeys(item))
    recommender.save()
    for each in (recommender, Recommender.open(recommender.folder, Described)):
        found = [{"color": ["mauve"]}, {"tags": ["new tag"]}, {"price": {"min": 5000.25, "max": 5000.25}}]
        for wanted in (*found, found[0] | found[1] | found[2]):
            assert each.recommend("u1", filter=wanted).items == ["added"]
        assert "added" in each.recommend("u1", k=1000, filter={"tags": ["t1"]}).items
        assert "bare" in each.recommend("u1", k=1000).items
        assert "bare" not in each.recommend("u1", k=1000, filter={"price": {"min": -1e30}}).items


def test_added_texts_mean_what_they_mean_in_a_table(opened, new_item):
    recommender = opened()
    recommender.add_item("spelled", new_item | {"color": " mauve "})
    recommender.add_item("blank", new_item | {"color": "", "tags": ["nan"]})
    assert recommender.recommend("u1", filter={"color": ["mauve "]}).items == ["spelled"]
    assert recommender.recommend("u1", k=1000, filter={"color": [""]}).items == []
    assert recommender.recommend("u1", k=1000, filter={"tags": ["nan"]}).items == []


def test_added_items_are_filtered_after_folding_and_removals(opened, new_item):
    folder = opened().folder
    with Recommender.open(folder, Described, writing=True) as writer:
        writer.keep_item("one", new_item | {"color": "mauve"})
        writer.keep_item("two", new_item | {"color": "mauve", "price": 1})
    assert (folder / journal.FOLDED).exists() and not (folder / journal.LOG).exists()
    with Recommender.open(folder, Described, writing=True) as writer:
        writer.remove_item("one")
        writer.keep_item("three", new_item | {"color": "mauve", "tags": None, "price": None})
        writer.save()
        assert set(writer.recommend("u1", filter={"color": ["mauve"]}).items) == {"two", "three"}
    again = Recommender.open(folder, Described)
    assert set(again.recommend("u1", filter={"color": ["mauve"]}).items) == {"two", "three"}
    again.add_item("one", new_item | {"color": "taupe"})
    assert again.recommend("u1", filter={"color": ["taupe"]}).items == ["one"]
    assert "one" not in again.recommend("u1", filter={"color": ["mauve"]}).items


def test_numpy_scalars_are_taken_as_pythons_values(dataset, toy_run, tmp_path):
    features = dataset.train_valid.item_features
    years = Categorical(features["color"].codes, ["unknown", *map(str, range(1990, 1996))])
    described = Features({**features.columns, "year": years})
    with_years = replace(dataset, train_valid=replace(dataset.train_valid, item_features=described))
    object.__setattr__(with_years, "fingerprint", dataset.fingerprint)
    bundle.write(toy_run(0), with_years, tmp_path / "out", "flat", Described)
    recommender = Recommender.open(tmp_path / "out", Described)
    for given, meant in (
        ({"year": [np.int64(1993)]}, {"year": [1993]}),
        ({"color": [np.str_("c2")]}, {"color": ["c2"]}),
        ({"price": {"min": np.float32(100.5)}}, {"price": {"min": 100.5}}),
        ({"price": {"max": np.int64(300)}}, {"price": {"max": 300}}),
    ):
        found = recommender.recommend("u1", k=300, filter=given).items
        assert found == recommender.recommend("u1", k=300, filter=meant).items and 0 < len(found) < 280
    for wanted in ({"color": [np.bool_(True)]}, {"year": [np.float32(1993)]}):
        with pytest.raises(InputError, match="must be a list of values, each of them text or a whole number"):
            recommender.recommend("u1", filter=wanted)
    row = {
        "color": np.str_("c1"),
        "tags": [np.str_("t1")],
        "price": np.float32(2000.5),
        "year": np.int64(1999),
    }
    recommender.keep_item("new", row)
    for each in (recommender, Recommender.open(recommender.folder, Described)):
        for wanted in ({"year": [1999]}, {"price": {"min": 2000.5}}):
            assert each.recommend("u1", filter=wanted).items == ["new"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"colr": ["c1"]}, "^unknown column of filter 'colr': did you mean 'color'"),
        ({"color": "c1"}, r"^filter\.color must be a list of values, each of them text or a whole number"),
        ({"color": {"min": 1}}, r"^filter\.color must be a list"),
        ({"color": [True]}, r"^filter\.color must be a list"),
        ({"color": [1.5]}, r"^filter\.color must be a list"),
        ({"tags": [None]}, r"^filter\.tags must be a list"),
        ({"price": [5]}, r"^filter\.price must be a range"),
        ({"price": {}}, r"^filter\.price must be a range"),
        ({"price": {"mn": 5}}, r"^filter\.price must be a range"),
        ({"price": {"min": "5"}}, r"^filter\.price\.min must be a number"),
        ({"price": {"max": None}}, r"^filter\.price has a bound that is no number"),
        ({"price": {"max": float("nan")}}, r"^filter\.price\.max must be finite"),
        ({"price": {"min": 6, "max": 5.5}}, r"^filter\.price is empty, its min 6 is above its max 5\.5"),
        (["color"], "^filter must give a list of values or a range for each column"),
    ],
)
def test_a_filter_that_cannot_be_applied_gets_one_sentence(wanted, sentence, opened):
    with pytest.raises(InputError, match=sentence):
        opened().recommend("u1", filter=wanted)


def test_a_bundle_without_item_columns_refuses_filters_and_is_as_before(dataset, toy_run, tmp_path):
    bare = replace(dataset, train_valid=replace(dataset.train_valid, item_features=None))
    object.__setattr__(bare, "fingerprint", dataset.fingerprint)
    bundle.write(toy_run(0), bare, tmp_path / "out", "flat", Described)
    assert not (tmp_path / "out" / bundle.COLUMNS).exists()
    assert set(json.loads((tmp_path / "out" / "bundle.json").read_text())["checksums"]) == {
        "index.faiss", "items.parquet", "users.parquet", "features.json",
    }  # fmt: skip
    with pytest.raises(InputError, match=r"^filter: the bundle holds no item columns: build it anew"):
        Recommender.open(tmp_path / "out", Described).recommend("u1", filter=FILTERS[0])


def test_vectors_are_no_columns_to_filter_by(tmp_path):
    from retrieval_leaderboard.datasets.features import Vector
    from retrieval_leaderboard.serving.bundles import tables

    looks = Features({"look": Vector(np.ones((3, 2), np.float32))})
    assert not tables.write_columns(tmp_path / "columns", looks) and not list(tmp_path.iterdir())


def test_a_damaged_table_of_columns_is_refused(toy_bundle, tmp_path):
    folder = shutil.copytree(toy_bundle("flat"), tmp_path / "copy")
    content = bytearray((folder / bundle.COLUMNS).read_bytes())
    content[len(content) // 2] ^= 255
    (folder / bundle.COLUMNS).write_bytes(content)
    with pytest.raises(InputError, match=f"{bundle.COLUMNS} is not the file that was written"):
        Recommender.open(folder, Described)
