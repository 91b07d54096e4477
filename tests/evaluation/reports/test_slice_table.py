"""The tables of slices: names, dashes and their footnotes, records of earlier versions, chance."""

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.pages.slice_table import CHANCE, HEAD, slice_tables
from tests.evaluation import stored
from tests.evaluation.reports.boards import failed, without_tests
from tests.evaluation.stored import part


def row(model, *slices, ndcg=0.5, **more):
    return Row(model, {}, [stored.record(model, ndcg=ndcg, slices=slices, **more)], [])


def cells(*rows):
    """Model → slice → its NDCG, the same of Recall, and the lines below the tables."""
    ndcg, recall, *below = slice_tables(without_tests(*rows).entries, 20).strip().split("\n\n")
    return _cells(ndcg), _cells(recall), below


def _cells(table):
    header, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}


COLD = "– for cold items: the model knows items by their id alone and cannot return an item without training "
NOTHING = "– for cold users, or another slice: the model returned nothing to any of these queries"


def test_best_model_first_with_ndcg_and_recall():
    ndcg, recall, notes = cells(row("weak", part("warm"), ndcg=0.1), row("strong", part("warm", recall=0.5)))
    assert list(ndcg) == ["queries", "strong", "weak"]
    assert [line["warm"] for line in ndcg.values()] == ["10", "0.2500", "0.1250"]
    assert [line["warm"] for line in recall.values()] == ["10", "0.5000", "0.2500"]
    assert notes == [HEAD]


def test_cold_items_out_of_reach_are_a_dash_with_a_footnote():
    unable = row("by_id", part("cold items", recall=0.0), reaches_cold_items=False)
    able = row("by_feature", part("cold items", recall=0.0), reaches_cold_items=True)
    found, _, notes = cells(unable, able)
    assert found["by_id"]["cold items"] == "–"
    assert found["by_feature"]["cold items"] == "0.0000", "it could have, and did not"
    assert notes[1].startswith(COLD)


def test_a_hit_counts_more_than_what_a_model_says_of_itself():
    _, found, notes = cells(row("modest", part("cold items", recall=0.5), reaches_cold_items=False))
    assert found["modest"]["cold items"] == "0.5000" and notes == [HEAD]


def test_no_list_at_all_is_a_dash_with_a_footnote():
    silent = row("silent", part("cold users", recall=0.0, listed=0))
    poor = row("poor", part("cold users", recall=0.0, listed=1))
    found, _, notes = cells(silent, poor)
    assert (found["silent"]["cold users"], found["poor"]["cold users"]) == ("–", "0.0000")
    assert notes[1].startswith(NOTHING)


def test_records_of_earlier_versions_share_the_table():
    old = row("old", part("cold users", recall=0.0), part("cold items", recall=0.0), ndcg=0.9)
    new = row("new", part("warm"), part("cold users", listed=3), part("cold items"), reaches_cold_items=True)
    found, _, notes = cells(old, new)
    assert list(found["old"])[1:] == ["warm", "cold users", "cold items"]
    assert found["old"]["warm"] == "–", "it has no such slice"
    assert found["old"]["cold users"] == "0.0000", "it does not say whether there were lists"
    assert found["old"]["cold items"] == "–"
    assert [note.startswith(COLD) for note in notes] == [False, True]


def test_slices_without_queries_are_left_out():
    found, *_ = cells(row("any", part("cold items", queries=0), part("warm")))
    assert list(found["any"]) == ["NDCG@20", "warm"]
    none = row("any", part("cold items", queries=0))
    assert slice_tables(without_tests(none).entries, 20) == "No slice has a query.\n"


def test_chance_has_a_line_where_a_record_has_it():
    old, new = row("old", part("cold items")), row("new", part("cold items", random_recall=0.00543))
    ndcg, recall, _ = cells(old, new)
    assert recall[CHANCE]["cold items"] == "0.0054" and CHANCE not in ndcg
    assert CHANCE not in cells(old)[1]


def test_seeds_are_averaged():
    both = row("any", part("warm", recall=0.2))
    both.done.extend(row("any", part("warm", recall=0.4)).done)
    assert cells(both)[1]["any"]["warm"] == "0.3000"


def test_nothing_finished():
    assert slice_tables(without_tests(failed()).entries, 20) == "No finished run.\n"
