"""Labels: every row of a table can be told apart by its name, and by no more than that takes."""

from evaluation import labels as module
from evaluation.board import Row


def labels(rows):
    return module.labels([Row(model, settings, [], []) for model, settings in rows])


def test_a_model_with_one_row_goes_by_its_name():
    assert labels([("als", {"factors": 64}), ("swing", {"alpha": 1.0})]) == ["als", "swing"]


def test_the_fewest_settings_that_tell_rows_apart():
    rows = [
        ("item_cf", {"last_n": 0, "top_k": 0, "shrinkage": 1.0}),
        ("item_cf", {"last_n": 1, "top_k": 20, "shrinkage": 0.0}),
    ]
    assert labels(rows) == ["item_cf (last_n=0)", "item_cf (last_n=1)"]


def test_two_settings_where_none_alone_tells_all_rows_apart():
    rows = [
        ("bsl", {"encoder": encoder, "features": features, "epochs": 4})
        for encoder, features in (("auto", True), ("auto", False), ("mean", False))
    ]
    assert labels(rows) == [
        "bsl (encoder=auto, features=True)",
        "bsl (encoder=auto, features=False)",
        "bsl (encoder=mean, features=False)",
    ]


def test_kinds_and_counts_before_fractions():
    rows = [
        ("infonce", {"popularity_exponent": 0.08, "neighbours": 20}),
        ("infonce", {"popularity_exponent": 0.06, "neighbours": 0}),
    ]
    assert labels(rows) == ["infonce (neighbours=20)", "infonce (neighbours=0)"]


def test_a_setting_that_only_some_rows_have_is_named_where_it_is():
    rows = [("own", {"dim": 8}), ("own", {"dim": 8, "depth": 2})]
    assert labels(rows) == ["own", "own (depth=2)"]


def test_rows_of_the_same_settings_share_a_label():
    rows = [("als", {"factors": 64}), ("als", {"factors": 64}), ("als", {"factors": 128})]
    assert labels(rows) == ["als (factors=64)", "als (factors=64)", "als (factors=128)"]
