"""Published numbers that are not reached: which rows count, what is listed and drawn of them."""

from dataclasses import replace

from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.studies import gaps_to_published
from tests.evaluation import stored

ABOUT = replace(
    stored.SUMMARY, name="gowalla", title="gowalla", synthetic=False, protocol="published", exclude_seen=True
)


def row(model, recall, ndcg, curve=(), by="tuning", trials=30, **changed):
    log = [{"epoch": epoch, "loss": 1.0} | ({"valid_ndcg": score} if score else {}) for epoch, score in curve]
    metrics = {"recall": recall, "ndcg": ndcg}
    said = stored.record(model, metrics=metrics, choosing=tuple(log), by=by, trials=trials)
    values = settings.resolve(registry.get(model), changed, "here")
    said = replace(said, result=replace(said.measured, propagates=values.get("neighbors", 0) != 0))
    return Row(model, values, [said], [])


def board(*rows):
    return Board(ABOUT, "f", 20, list(rows))


def found(*rows):
    return gaps_to_published.gaps([board(*rows)])


def names(*rows):
    return [(match.row.settings.get("epochs"), match.reference.name) for _, match in found(*rows)]


HIGH = row("item_cf", 0.9, 0.9)
"""Above all that is published: only rows below a number of their own kind are left to tell"""


def test_the_best_of_the_rows_that_are_as_like_counts():
    first = row("simplex_ccl", 0.1880, 0.1500, trials=99, neighbors=0, epochs=1)
    second = row("simplex_ccl", 0.1880, 0.1510, trials=9, neighbors=0, epochs=2)
    reached = row("simplex_ccl", 0.1880, 0.1600, neighbors=0, epochs=3)
    assert [each for each in names(first, second, HIGH) if each[1] == "SimpleX"] == [(2, "SimpleX")]
    assert "SimpleX" not in [name for _, name in names(first, second, reached, HIGH)]


def test_a_published_itemcf_is_beside_itemcf_however_good_swing_is():
    (match,) = [
        each
        for _, each in found(row("swing", 0.12, 0.11), row("item_cf", 0.1, 0.1))
        if each.reference.name == "ItemCF"
    ]
    assert match.row.model == "item_cf"


def test_another_dimension_is_no_gap_but_a_number_above_all_rows_is():
    wide = row("simplex_ccl", 0.1, 0.1, neighbors=0, embedding_dim=256)
    assert names(wide, HIGH) == []
    assert "SimpleX" in [name for _, name in names(wide)]


def test_a_row_that_was_set_for_a_run_is_no_gap():
    assert names(row("simplex_ccl", 0.1, 0.1, by="command line", neighbors=0), HIGH) == []


def test_table_and_image():
    gaps = found(row("bsl", 0.0941, 0.1584, [(1, 0.0), (2, 0.1)], neighbors=0))
    (line,) = [line for line in gaps_to_published.table(gaps).splitlines() if "MF + BSL" in line]
    assert "-50.0% / +0.0%" in line and "| Recall " in line
    assert "learning_curves.svg" in gaps_to_published.image(gaps)
    assert gaps_to_published.image(found(row("item_cf", 0.1, 0.1))) == ""


def test_a_curve_holds_the_epochs_that_were_scored():
    assert gaps_to_published.curve(row("bsl", 0.1, 0.1, [(1, 0.0), (2, 0.1), (4, 0.12)])) == [
        (2, 0.1),
        (4, 0.12),
    ]


def test_plot(tmp_path):
    target = tmp_path / "curves.svg"
    gaps_to_published.plot(found(row("item_cf", 0.1, 0.1)), target)
    assert not target.exists()
    gaps_to_published.plot(found(row("bsl", 0.1, 0.1, [(2, 0.1), (4, 0.12)])), target)
    assert "<svg" in target.read_text()
