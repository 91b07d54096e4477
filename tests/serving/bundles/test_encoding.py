import numpy as np
import pytest

from retrieval_leaderboard.serving.bundles.encoding import Schema
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def schema(dataset):
    return Schema.of("item", dataset.train.item_features)


def raw(features, row):
    color, tags = features["color"], features["tags"]
    return {
        "color": color.vocabulary[color.codes[row]],
        "tags": [tags.vocabulary[code] for code in tags.codes[row]],
        "price": float(features["price"].numbers[row]),
    }


def test_raw_values_become_the_codes_of_the_training_data(schema, dataset):
    features = dataset.train.item_features
    rows = np.array([3, 0, 150])
    encoded, unseen = schema.encode([raw(features, row) for row in rows])
    expected = features.take(rows)
    assert np.array_equal(encoded["color"].codes, expected["color"].codes)
    assert encoded["tags"].codes.compact()[0].tolist() == expected["tags"].codes.compact()[0].tolist()
    assert np.array_equal(encoded["price"].numbers, expected["price"].numbers)
    assert unseen == [{}, {}, {}]


def test_a_schema_survives_json(schema):
    assert Schema(**schema.to_json()) == schema


def test_a_new_category_counts_as_unknown_and_is_reported(schema, new_item):
    new = new_item | {"color": "mauve", "tags": ["t1", "shiny"]}
    encoded, unseen = schema.encode([new_item, new])
    assert encoded["color"].codes.tolist() == [4, 0]
    assert encoded["tags"].codes[1].tolist() == [2, 0]
    assert unseen == [{}, {"color": ["mauve"], "tags": ["shiny"]}]


def test_null_is_unknown_and_is_not_reported(schema):
    encoded, unseen = schema.encode([{"color": None, "tags": None, "price": None}])
    assert encoded["color"].codes.tolist() == [0] and unseen == [{}]
    assert len(encoded["tags"].codes[0]) == 0 and np.isnan(encoded["price"].numbers[0])


@pytest.mark.parametrize("price", [0, 0.0, 1e8, -3])
def test_any_finite_price_works(price, schema, new_item):
    encoded, _ = schema.encode([new_item | {"price": price}])
    assert encoded["price"].numbers.tolist() == [price]


@pytest.mark.parametrize(
    "price", [float("nan"), float("inf"), 1e39, 10**400, "12", True, [1.0]], ids=lambda each: str(each)[:9]
)
def test_other_prices_are_refused(price, schema, new_item):
    with pytest.raises(InputError, match="the item feature 'price' must be"):
        schema.encode([new_item | {"price": price}])


def test_a_missing_column_is_named_with_the_known_ones(schema, new_item):
    del new_item["price"]
    with pytest.raises(InputError, match="'price' is missing: give color, tags, price"):
        schema.encode([new_item])


def test_a_misspelt_column_is_named_with_the_nearest(schema, new_item):
    with pytest.raises(InputError, match="unknown item feature 'colr': did you mean 'color'"):
        schema.encode([new_item | {"colr": "c1"}])


@pytest.mark.parametrize("wrong", [{"color": ["c1"]}, {"color": 1.5}, {"color": True}, {"tags": "t1"}])
def test_values_of_a_wrong_type_are_refused(wrong, schema, new_item):
    with pytest.raises(InputError, match="must be"):
        schema.encode([new_item | wrong])


def test_a_dataset_without_features_takes_none(new_item):
    with pytest.raises(InputError, match="no user features"):
        Schema.of("user", None).encode([new_item])


def test_text_is_read_as_in_a_table(schema, new_item):
    spelled = [
        new_item | {"color": f" {new_item['color']} "},
        new_item | {"color": "nan", "tags": ["", "t1"]},
    ]
    encoded, unseen = schema.encode([new_item, *spelled])
    assert encoded["color"].codes.tolist() == [4, 4, 0]
    assert unseen == [{}, {}, {}]
