"""Labels: every row of a table can be told apart by its name, and no setting that differs is hidden."""

from dataclasses import replace

from retrieval_leaderboard.evaluation.reports import labels as module
from retrieval_leaderboard.evaluation.reports.board import Row
from tests.evaluation import stored


def labels(rows):
    return module.labels([Row(model, settings, [], []) for model, settings in rows])


def test_a_model_with_one_row_goes_by_its_name():
    assert labels([("als", {"factors": 64}), ("swing", {"alpha": 1.0})]) == ["als", "swing"]


def test_every_setting_that_differs():
    rows = [
        ("infonce", {"temperature": 0.1, "epochs": 4, "precision": "fp32"}),
        ("infonce", {"temperature": 0.2, "epochs": 4, "precision": "bf16"}),
    ]
    assert labels(rows) == [
        "infonce (precision=fp32, temperature=0.1)",
        "infonce (precision=bf16, temperature=0.2)",
    ]


def test_the_fewest_settings_that_tell_rows_apart_where_many_differ_and_how_many_more():
    rows = [
        ("item_cf", {"last_n": 0, "top_k": 0, "prune_axis": "target", "shrinkage": 1.0}),
        ("item_cf", {"last_n": 1, "top_k": 20, "prune_axis": "history", "shrinkage": 0.0}),
        ("als", {"factors": 64}),
    ]
    assert labels(rows) == ["item_cf (last_n=0, +3)", "item_cf (last_n=1, +3)", "als"]


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
        ("infonce", {"popularity_exponent": 0.08, "negatives": 20}),
        ("infonce", {"popularity_exponent": 0.06, "negatives": 0}),
    ]
    assert labels(rows) == [
        "infonce (negatives=20, popularity_exponent=0.08)",
        "infonce (negatives=0, popularity_exponent=0.06)",
    ]


def test_a_setting_that_only_some_rows_have_is_named_where_it_is():
    rows = [("own", {"dim": 8}), ("own", {"dim": 8, "depth": 2})]
    assert labels(rows) == ["own", "own (depth=2)"]


def test_rows_of_the_same_settings_share_a_label():
    rows = [("als", {"factors": 64}), ("als", {"factors": 64}), ("als", {"factors": 128})]
    assert labels(rows) == ["als (factors=64)", "als (factors=64)", "als (factors=128)"]


def test_what_rules_resolved_is_shown_with_what_was_asked():
    asked = {"temperature": "auto", "epochs": "auto", "negatives": 5}
    known = replace(stored.record(), resolved={"temperature": 0.16, "epochs": 7, "negatives": 5})
    row, older = Row("bsl", asked, [known], []), Row("bsl", asked | {"epochs": 3}, [stored.record()], [])
    assert row.plain_settings == {"temperature": 0.16, "epochs": 7, "negatives": 5}
    assert module.labels([row, older]) == [
        "bsl (epochs=7 (auto), temperature=0.16 (auto))",
        "bsl (epochs=3, temperature=auto)",
    ]


def test_settings_asked_for_and_the_same_by_default_do_not_tell_rows_apart():
    by_rule = replace(stored.record(), resolved={"id_dropout": 0.0, "epochs": 4})
    rows = [
        Row("bsl", {"id_dropout": "auto", "epochs": 4}, [by_rule], []),
        Row("bsl", {"id_dropout": 0.0, "epochs": 9}, [stored.record()], []),
    ]
    assert module.labels(rows) == ["bsl (epochs=4)", "bsl (epochs=9)"]


def test_a_row_that_failed_before_its_settings_were_resolved_is_named_by_what_was_asked():
    by_rule = replace(stored.record(), resolved={"neighbors": 20, "exponent": -0.1})
    done = Row("bsl", {"neighbors": "auto", "exponent": -0.1}, [by_rule], [])
    failed = Row("bsl", {"neighbors": "auto", "exponent": 0.5}, [], [stored.record(reason="no")])
    assert module.labels([done, failed]) == ["bsl (exponent=-0.1)", "bsl (exponent=0.5)"]


def test_the_popularity_exponents_that_fits_chose_are_shown():
    def chose(*exponents):
        return [
            {"epoch": at, "valid_ndcg": at / 10, "popularity_exponent": each}
            for at, each in enumerate(exponents, start=1)
        ]

    asked = {"popularity_exponent": "auto"}
    runs = [stored.record(choosing=chose(*each)) for each in ((0.0, 0.06), (0.3, 0.08), (0.3, 0.08))]
    assert Row("bsl", asked, runs[1:], []).shown_settings == {"popularity_exponent": "0.08 (auto)"}
    assert Row("bsl", asked, runs, []).shown_settings == {"popularity_exponent": "0.06 to 0.08 (auto)"}
    assert Row("bsl", asked, [stored.record()], []).shown_settings == asked


def names(*rows):
    return module.names([make(*each) for each in rows])


def make(model, by="defaults", settings=None, shipped=False):
    return Row(model, settings or {}, [stored.record(model, by=by)], [], shipped)


def test_names_of_a_page_are_short():
    assert names(("als",), ("bsl", "tuning")) == ["als", "bsl"]
    official = ("bsl", "budget"), ("bsl", "hand")
    assert names(*official) == ["bsl", "bsl (manual)"], "the one official row goes by the model"
    assert names(("bsl",), ("bsl", "budget")) == ["bsl (defaults)", "bsl (budget)"]
    assert names(("als",), ("als", "defaults", None, True)) == ["als", "als, shipped"]


def test_names_of_two_budgets_say_which():
    def searched(minutes):
        record = stored.record("bsl", by="budget", cap_minutes=minutes)
        return Row("bsl", {"dim": 64 * minutes}, [record], [])

    rows = [make("bsl"), searched(45), searched(0.5)]
    assert module.names(rows) == ["bsl (defaults)", "bsl (budget 45 min)", "bsl (budget 30 s)"]


def test_several_rows_found_alike_go_by_one_setting_or_a_number():
    plain, wide = {"neighbors": 0, "dim": 64}, {"neighbors": 20, "dim": 64}
    rows = ("bsl", "hand", plain), ("bsl", "hand", wide)
    assert names(*rows) == ["bsl (neighbors=0)", "bsl (neighbors=20)"]
    assert names(*rows, ("bsl", "hand", {"neighbors": 0, "dim": 8})) == ["bsl 1", "bsl 2", "bsl 3"]
    long = [("bsl", "hand", {"pattern": str(at) * 30, "neighbors": at}) for at in (1, 2)]
    assert names(*long) == ["bsl (neighbors=1)", "bsl (neighbors=2)"], "the one of few characters"
    assert len(set(names(*rows, ("bsl", "tuning", plain), ("bsl", "tuning", wide)))) == 4
    by_hand = ("bsl", "hand", {"neighbors": 20, "dim": 8}), *rows
    official = ["bsl", "bsl (manual) 1", "bsl (manual) 2", "bsl (manual) 3"]
    assert names(("bsl", "budget"), *by_hand) == official, "a number is not the official row's"


def test_the_legend_tells_numbered_rows_from_the_official_one_too():
    made = [
        make("bsl", settings={"dim": 64, "negatives": 50}),
        make("bsl", "command line", {"dim": 2, "negatives": 50}),
        make("bsl", "command line", {"dim": 64, "negatives": 9}),
        make("bsl", "command line", {"dim": 2, "negatives": 9}),
    ]
    assert module.legend(made) == {
        "bsl (CLI override) 1": "dim=2, negatives=50",
        "bsl (CLI override) 2": "dim=64, negatives=9",
        "bsl (CLI override) 3": "dim=2, negatives=9",
    }


def test_another_solver_is_always_named():
    assert labels([("als", {"factors": 64, "solver": "spark"})]) == ["als (solver=spark)"]
    rows = [("als", {"factors": 64}), ("als", {"factors": 64, "solver": "spark"})]
    assert labels(rows) == ["als", "als (solver=spark)"]
    many = {"a": 1, "b": 2, "c": 3}
    rows = [("als", dict.fromkeys(many, 0)), ("als", many | {"solver": "spark"})]
    assert labels(rows)[1].count("solver=spark") == 1
    assert module.names([Row("als", {"factors": 64, "solver": "spark"}, [], [])]) == ["als (solver=spark)"]


def test_many_rows_that_each_change_another_setting_are_told_apart_at_once():
    keys = [f"setting_{at}" for at in range(30)]
    choices = [{key: int(key == changed) for key in keys} for changed in ["", *keys]]
    assert sorted(module.distinguishing(choices)) == sorted(keys)
