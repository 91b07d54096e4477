"""The main table as Markdown, and on terminals of several widths."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from retrieval_leaderboard.evaluation.reports import index_section, leaderboard, terminal
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.main_table import BEST, COSTS, ELSEWHERE, SHOWN, _cost, markdown
from tests.evaluation import stored

DATASET = replace(stored.SUMMARY, title="mine", synthetic=False, notes=["3 [b]rows[/b] dropped"])


def record(ndcg, **more):
    return stored.record(ndcg=ndcg, processor="a", threads=2, peak_rss_mib=200.0, parameters=12_345, **more)


def board(*rows):
    return Board(DATASET, "f", 20, list(rows))


def failed():
    return stored.record("bad", reason="ValueError: too | much\nfor me")


def rows_of_many_settings():
    keys = ("epochs", "rows", "size", "depth", "rate")
    return [Row("bsl", dict.fromkeys(keys, value), [record(0.1 * value)], []) for value in (1, 2)]


def shown(of, width, color=False):
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, highlight=False, markup=False, legacy_windows=False
    )
    terminal.show(of, console)
    return out.getvalue()


def test_settings_that_a_label_leaves_out_stand_under_the_table():
    text = markdown(board(*rows_of_many_settings()))
    assert "bsl (epochs=1, +4)" in text and "+n: n more differ" in text
    assert "- **bsl (epochs=2, +4)**: epochs=2, rows=2, size=2, depth=2, rate=2\n" in text


def test_a_failed_row_says_how_to_be_rid_of_it():
    (warning,) = leaderboard.warnings(
        board(Row("hot", {}, [record(0.5)], []), Row("bad", {}, [], [failed()]))
    )
    assert warning.startswith(
        "bad failed (ValueError: too | much for me): run it again, or delete runs/bad-seed0-"
    )
    (warning,) = leaderboard.warnings(board(Row("two", {}, [record(0.5)], [failed(), failed()])))
    name = failed().stem
    assert f"delete runs/{name}, runs/{name}" in warning


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_terminals_width_is_kept_and_the_best_columns_with_it(width):
    many = [record(0.2, by="tuning", trials=99), record(0.3)]
    text = shown(
        board(*rows_of_many_settings(), Row("als", {}, many, []), Row("bad", {}, [], [failed()])), width
    )
    assert max(map(len, text.splitlines())) <= width
    header = text.splitlines()[1].split()
    assert {"model", "NDCG@20", "Recall@20"} <= set(header)
    assert "**" not in text and "|" not in text.replace("too | much", "")
    told = " ".join(text.split())
    assert (
        "bad (failed)" in told and "delete runs/bad-seed0-" in told and "note: 3 [b]rows[/b] dropped" in told
    )
    for column in ("Precision@20", "queries/s", "peak MiB", "parameters"):
        assert text.count(column) == 1, "a column is shown, or named as left out"


def test_a_wide_terminal_leaves_nothing_out():
    text = shown(board(Row("als", {}, [record(0.2)], [])), 200)
    assert "Also on the board" not in text and "machine 1: a, 2 threads" in text


def test_a_narrow_terminal_keeps_the_metric_that_ranks():
    header = shown(board(Row("als", {}, [record(0.2), record(0.3)], [])), 30).splitlines()[2]
    assert header.split() == ["model", "NDCG@20"]


def test_the_best_is_bold_on_a_terminal_and_plain_elsewhere():
    of = board(Row("als", {}, [record(0.2)], []), Row("bsl", {}, [record(0.3)], []))
    assert re.search(r"\x1b\[1;32m0\.3000\x1b", shown(of, 120, color=True))
    assert not re.search(r"\x1b\[1;32m0\.2000\x1b", shown(of, 120, color=True))
    assert "\x1b" not in shown(of, 120)


def test_a_model_below_popularity_is_told_on_the_terminal_too():
    text = shown(board(Row("global_hot", {}, [record(0.3)], []), Row("als", {}, [record(0.1)], [])), 80)
    assert "warning: als: NDCG@20 below Global Hot's; doubt it or its settings" in " ".join(text.split())


@pytest.mark.parametrize(("parameters", "shown"), [(1234, "1,234"), (None, "–"), (0, "0")])
def test_parameters_that_are_not_told_are_a_dash(parameters, shown):
    row = Row("any", {}, [stored.record(parameters=parameters)], [])
    assert _cost(row, *COSTS["parameters"]) == shown and _cost(row, *COSTS["peak GPU MiB"]) == "0"


def test_costs_are_of_one_machine_and_the_table_says_which():
    times = [(1.0, "a", "2026-01-01"), (9.0, "b", "2026-01-03"), (3.0, "a", "2026-01-02")]
    done = [
        replace(stored.record(ndcg=0.2, fit_seconds=s, processor=on, threads=2), date=date)
        for s, on, date in times
    ]
    row = Row("als", {}, done, [])
    assert (row.machine, row.cost("fit_seconds")) == ("a, 2 threads", 2.0)
    assert Row("als", {}, done[:2], []).cost("fit_seconds") == 9.0, "the newest of equals"
    text = markdown(board(row, Row("bsl", {}, [record(0.1)], []), Row("bad", {}, [], [failed()])))
    cells = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if "|" in line]
    assert [line[-2] for line in cells[2:]] == ["1 (2)", "1", "–"]
    assert ELSEWHERE in text
    assert ELSEWHERE not in markdown(board(Row("als", {}, done[:1], [])))


@pytest.mark.parametrize(("peak", "shown"), [(0.0, False), (512.0, True)])
def test_the_memory_of_a_gpu_has_a_column_where_one_was_used(peak, shown):
    row = Row("any", {}, [record(0.5, peak_gpu_mib=peak, by="tuning", trials=30)], [])
    text = markdown(board(row, Row("broken", {}, [], [failed()])))
    assert ("peak GPU MiB" in text) is shown
    table, _, footnote = text.partition("\n\n")
    assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1
    assert "| 30 trials |" in " ".join(table.split()) and "| defaults † |" in " ".join(table.split())
    assert footnote == "† smaller tuning budget than the best-tuned row (30 trials).\n"


def test_kinds_of_indexes_are_drawn_by_the_same_means():
    kind = index_section.IndexKind("ivf_pq", {"nprobe": 8}, 1.5, 20.0, 10.0, 19.0, 0.75, 0.01)
    about = ("f", "infonce", "", 20, 5, 8, 9, 0.5, (kind,), "2026-01-02", "a", 2, 0.0, "")
    compared = index_section.IndexComparison(*about)
    out = io.StringIO()
    terminal.draw(index_section.for_terminal(compared), Console(file=out, width=200))
    header, _, row = out.getvalue().splitlines()
    assert header.startswith("index ") and "Recall@20 of exact" in header and "NDCG@20 lost" in header
    assert row.split() == ["ivf_pq", "1.50", "20", "10", "19", "0.7500", "0.0100", "nprobe", "8"]


def test_a_row_set_for_a_run_is_not_the_best_unless_all_are():
    plain = Row("infonce", {"size": 1}, [record(0.2)], [])
    picked = Row("infonce", {"size": 2}, [record(0.3, by="command line")], [])
    text = markdown(board(plain, picked))
    assert text.count("**0.2000**") == len(SHOWN) and "**0.3000**" not in text
    assert BEST in text
    alone = markdown(board(picked))
    assert alone.count("**0.3000**") == len(SHOWN) and BEST not in alone


def test_a_metric_that_records_lack_is_a_dash_and_nobodys_best():
    known = {"recall": 0.2, "ndcg": 0.2}
    lines = [Row(model, {}, [stored.record(metrics=known)], []) for model in ("als", "bsl")]
    text = markdown(board(*lines))
    assert "**–**" not in text and text.count("**0.2000**") == 4
