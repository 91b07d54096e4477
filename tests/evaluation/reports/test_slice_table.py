"""The table of slices: names, dashes and their footnotes, records of earlier versions, chance."""

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.pages.slice_table import slice_table
from tests.evaluation import stored
from tests.evaluation.stored import part


def row(model, *slices, ndcg=0.5, **more):
    return Row(model, {}, [stored.record(model, ndcg=ndcg, slices=slices, **more)], [])


def cells(*rows):
    """slice → column → text, and the lines below the table."""
    text = slice_table(list(rows), [each.model for each in rows], 20)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    below = text[text.rindex("|\n") + 2 :].split("\n\n")
    return {line[0]: dict(zip(table[0], line, strict=True)) for line in table[2:]}, [
        line for note in below if (line := note.strip())
    ]


COLD = "– for cold items: the model knows items by their id alone and cannot return an item without training "
NOTHING = "– for cold users, or another slice: the model returned nothing to any of these queries"


def test_best_model_first_with_recall_and_ndcg():
    found, notes = cells(row("weak", part("warm"), ndcg=0.1), row("strong", part("warm", recall=0.5)))
    assert list(found["warm"].values()) == ["warm", "10", "0.5000 / 0.2500", "0.2500 / 0.1250"]
    assert not notes


def test_cold_items_out_of_reach_are_a_dash_with_a_footnote():
    unable = row("by_id", part("cold items", recall=0.0), reaches_cold_items=False)
    able = row("by_feature", part("cold items", recall=0.0), reaches_cold_items=True)
    found, notes = cells(unable, able)
    assert found["cold items"]["by_id"] == "–"
    assert found["cold items"]["by_feature"] == "0.0000 / 0.0000", "it could have, and did not"
    (note,) = notes
    assert note.startswith(COLD)


def test_a_hit_counts_more_than_what_a_model_says_of_itself():
    found, notes = cells(row("modest", part("cold items", recall=0.5), reaches_cold_items=False))
    assert found["cold items"]["modest"] == "0.5000 / 0.2500"
    assert not notes


def test_no_list_at_all_is_a_dash_with_a_footnote():
    silent = row("silent", part("cold users", recall=0.0, listed=0))
    poor = row("poor", part("cold users", recall=0.0, listed=1))
    found, notes = cells(silent, poor)
    assert found["cold users"]["silent"] == "–"
    assert found["cold users"]["poor"] == "0.0000 / 0.0000"
    (note,) = notes
    assert note.startswith(NOTHING)


def test_records_of_earlier_versions_share_the_table():
    old = row("old", part("cold users", recall=0.0), part("cold items", recall=0.0), ndcg=0.9)
    new = row("new", part("warm"), part("cold users", listed=3), part("cold items"), reaches_cold_items=True)
    found, notes = cells(old, new)
    assert list(found) == ["warm", "cold users", "cold items"]
    assert found["warm"]["old"] == "–", "it has no such slice"
    assert found["cold users"]["old"] == "0.0000 / 0.0000", "it does not say whether there were lists"
    assert found["cold items"]["old"] == "–"
    assert [note.startswith(COLD) for note in notes] == [True]


def test_a_slice_without_queries_is_a_dash_without_a_footnote():
    found, notes = cells(row("any", part("cold items", queries=0), part("warm", queries=0)))
    assert {each["any"] for each in found.values()} == {"–"}
    assert not notes


def test_chance_has_a_column_where_a_record_has_it():
    old, new = row("old", part("cold items")), row("new", part("cold items", random_recall=0.0054))
    assert cells(old, new)[0]["cold items"]["random"] == "0.005400"
    assert "random" not in cells(old)[0]["cold items"]


def test_seeds_are_averaged():
    both = row("any", part("warm", recall=0.2))
    both.done.extend(row("any", part("warm", recall=0.4)).done)
    assert cells(both)[0]["warm"]["any"] == "0.3000 / 0.1500"


def test_nothing_finished():
    assert (
        slice_table([Row("any", {}, [], [stored.record(reason="none")])], ["any"], 20) == "No finished run.\n"
    )
