"""Shortfalls: which rows count, what is said and drawn of them."""

from benchmarks import shortfalls
from evaluation.board import Board, Row


def row(model, recall, ndcg, curve=(), by="defaults"):
    log = [{"epoch": epoch, "loss": 1.0} | ({"valid_ndcg": score} if score else {}) for epoch, score in curve]
    metrics = {"recall": recall, "ndcg": ndcg}
    chosen = {"by": by}
    record = {"metrics": metrics, "seed": 0, "choosing": log, "chosen": chosen, "date": "2026-11-25"}
    return Row(model, {}, [record], [])


def board(*rows):
    about = {
        "name": "gowalla", "title": "gowalla", "synthetic": False, "protocol": "published",
        "exclude_seen": True, "split_seed": 0,
    }  # fmt: skip
    return Board(about, "f", 20, list(rows))


def found(*rows):
    return shortfalls.shortfalls([board(*rows)])


def test_a_row_below_in_either_measure_is_a_shortfall():
    below, above = row("simplex_ccl", 0.1880, 0.1500), row("item_cf", 0.1880, 0.1500)
    assert [(each.model, reference.name) for _, each, reference in found(below, above)] == [
        ("simplex_ccl", "SimpleX")
    ]


def test_rows_that_are_not_compared_are_no_shortfalls():
    assert found(row("simplex_ccl", 0.1, 0.1, by="command line")) == []


def test_section():
    text = shortfalls.section(found(row("bsl", 0.0941, 0.1584, [(1, 0.0), (2, 0.1)])))
    assert "MF + BSL" in text and "-50.0%" in text and "+0.0%" in text and "learning_curves.svg" in text
    assert "learning_curves" not in shortfalls.section(found(row("item_cf", 0.1, 0.1)))


def test_a_curve_holds_the_epochs_that_were_scored():
    assert shortfalls.curve(row("bsl", 0.1, 0.1, [(1, 0.0), (2, 0.1), (4, 0.12)])) == [(2, 0.1), (4, 0.12)]


def test_plot(tmp_path):
    target = tmp_path / "curves.svg"
    shortfalls.plot(found(row("item_cf", 0.1, 0.1)), target)
    assert not target.exists()
    shortfalls.plot(found(row("bsl", 0.1, 0.1, [(2, 0.1), (4, 0.12)])), target)
    assert "<svg" in target.read_text()
