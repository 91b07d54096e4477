"""The main tables as Markdown, and on terminals of several widths."""

import csv
import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from retrieval_leaderboard.evaluation.reports import csv_table, index_section, terminal
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.costs import (
    ELSEWHERE,
    NEVER_AGAIN,
    NOT_AGAIN,
    UNKNOWN,
    costs_of,
)
from retrieval_leaderboard.evaluation.reports.main_table import (
    BEYOND_NOISE,
    COST,
    INTERVALS,
    ONE_SEED,
    OVER_SEEDS,
    PAIRED,
    RANKED,
    UNTESTED,
    footnotes,
    main_table,
    markdown,
)
from retrieval_leaderboard.evaluation.reports.pages import metric_tables, settings_section
from retrieval_leaderboard.evaluation.reports.pages.warnings import warnings
from retrieval_leaderboard.evaluation.reports.report import report
from retrieval_leaderboard.evaluation.runs import timings
from retrieval_leaderboard.evaluation.runs.record import UNKNOWN_COSTS
from tests.evaluation import stored
from tests.evaluation.reports.boards import board, failed, row, statistics, with_tests, without_tests


def table(of, entries=None):
    return main_table(of, of.entries if entries is None else entries)


def cells(of):
    """Model → column → text."""
    header, _, *body = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in markdown(table(of)).splitlines()
    ]
    at = header.index("model")
    return {line[at]: dict(zip(header, line, strict=True)) for line in body}


def shown(of, width, color=False):
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, highlight=False, markup=False, legacy_windows=False
    )
    terminal.show(report(of), console)
    return out.getvalue()


BOTH = row("bsl", 0.16, parameters=12_345), row("item_cf", 0.15)


def test_a_row_with_everything():
    found = cells(with_tests(*BOTH))
    assert list(found["bsl"].items()) == [
        ("rank", "1"), ("model", "bsl"), ("NDCG@20", "**0.1600**"), ("95 % interval", "0.1500–0.1700"),
        ("Recall@20", "**0.1600**"), ("Δ to ItemCF", r"+6.7% \*"), ("fit s", "1.0"), ("rank s", "1.00"),
        ("settings", "[defaults](#bsl)"),
    ]  # fmt: skip
    assert found["item_cf"]["Δ to ItemCF"] == "–" and found["item_cf"]["rank"] == "2"


def test_differences_within_noise_have_no_mark():
    assert cells(with_tests(*BOTH, p={("bsl", "item_cf"): 0.05}))["bsl"]["Δ to ItemCF"] == "+6.7%"
    assert cells(without_tests(*BOTH))["bsl"]["Δ to ItemCF"] == "+6.7%"


def test_without_tests_there_are_no_ranks_and_a_footnote_says_so():
    of = without_tests(*BOTH)
    assert not {"rank", "95 % interval"} & set(cells(of)["bsl"])
    assert footnotes([of.entries]) == [UNTESTED, COST]


def test_marks_that_no_row_has_are_not_explained():
    differ = with_tests(*BOTH)
    single = ONE_SEED.format("bsl")
    assert footnotes([differ.entries]) == [INTERVALS, single, BEYOND_NOISE, PAIRED, COST]
    within = with_tests(*BOTH, p={("bsl", "item_cf"): 0.5})
    assert footnotes([within.entries]) == [INTERVALS, single, PAIRED, COST]
    assert footnotes([with_tests(row("item_cf")).entries]) == [INTERVALS, COST]
    tied = replace(
        differ, entries=[replace(e, standing=replace(e.standing, rank="1–2")) for e in differ.entries]
    )
    assert footnotes([tied.entries]) == [INTERVALS, single, BEYOND_NOISE, RANKED, PAIRED, COST]


def test_rows_of_one_seed_are_named_where_the_seed_matters():
    several = Row(
        "als", {}, [stored.record("als", ndcg=each, seed=seed) for seed, each in enumerate((0.1, 0.2))], []
    )
    unknown = row("mine", code="f")
    drawn = row("swing", 0.1, settings={"max_users_per_item": 9})
    found = footnotes([with_tests(*BOTH, several, unknown, drawn).entries])
    assert ONE_SEED.format("bsl, swing") in found


def test_settings_that_a_model_takes_no_more_do_not_stop_the_table():
    assert not row("bsl", settings={"epochs": -3}).of_one_seed


def test_a_lead_whose_interval_and_test_disagree_is_told():
    found = with_tests(row("bsl", 0.155), row("item_cf", 0.15))
    assert [note for note in warnings(found) if "holds 0" in note] and found.entries[0].differs
    assert not [note for note in warnings(with_tests(*BOTH, row("als", 0.2))) if "als: the test" in note]


def test_a_table_with_an_untested_row_has_no_ranks():
    seeds = Row("als", {}, [stored.record("als", ndcg=each) for each in (0.1, 0.2)], [])
    of = board(*BOTH, seeds)
    known = statistics(of)
    partly = report(of, replace(known, standings=[*known.standings[:2], None]))
    found = cells(partly)
    assert "rank" not in found["bsl"] and found["als"]["95 % interval"] == "± 0.0707"
    assert {UNTESTED, OVER_SEEDS} <= set(footnotes([partly.entries]))


def test_failed_rows_are_last_and_their_settings_have_the_reason():
    of = with_tests(*BOTH, failed())
    assert list(cells(of))[-1] == "bad (failed)" and cells(of)["bad (failed)"]["NDCG@20"] == "–"
    assert "\nFailed: ValueError: too | much for me.\n" in settings_section.section(of)


def test_costs_are_of_one_machine():
    times = [(1.0, "a", "2026-01-01"), (9.0, "b", "2026-01-03"), (3.0, "a", "2026-01-02")]
    done = [
        replace(stored.record("als", fit_seconds=s, processor=on, seed=seed), date=date)
        for seed, (s, on, date) in enumerate(times)
    ]
    als, bsl, swing, item_cf = (
        Row("als", {}, done, []),
        row("bsl", processor="b"),
        row("swing"),
        row("item_cf"),
    )
    assert costs_of([als]).machine == "b, 1 thread", "of equals the newest"
    assert costs_of([als, swing, bsl, item_cf]).machine == "a, 1 thread", "that of most rows"
    others = row("x", by="hand"), row("y", by="hand")
    assert costs_of([als, bsl, *others]).machine == "b, 1 thread", "of official ones"
    of = without_tests(als, swing, bsl, item_cf)
    found = cells(of)
    assert (found["als"]["fit s"], found["bsl"]["fit s"]) == ("2.0", "–")
    assert f"– as seconds: {ELSEWHERE}." in footnotes([of.entries])
    assert "as seconds" not in str(footnotes([[each for each in of.entries if each.name == "als"]]))
    assert costs_of([failed()]).machine == ""


def test_seconds_of_several_processes_are_of_another_machine():
    together = row("bsl", ranks=2)
    of = without_tests(row("als"), row("swing"), together)
    assert (of.machine, cells(of)["bsl"]["fit s"]) == ("a, 1 thread", "–")
    assert f"– as seconds: {ELSEWHERE}." in footnotes([of.entries])
    lines = {line["model"]: line for line in csv.DictReader(io.StringIO(csv_table.text([of])))}
    assert (lines["bsl"]["ranks"], lines["als"]["ranks"], lines["als"]["engine"]) == ("2", "1", "local")


def test_queries_a_second_agree_with_the_mean_of_the_seconds():
    times = [(10.0, 100.0), (30.0, 33.0 + 1 / 3)]
    done = [
        stored.record("als", recommend_seconds=seconds, queries_per_second=rate, seed=seed)
        for seed, (seconds, rate) in enumerate(times)
    ]
    found = costs_of([Row("als", {}, done, [])]).of(Row("als", {}, done, []))
    assert (found.cell("rank s"), found.cell("queries/s")) == ("20.00", "50"), "of 1,000 queries each"


def test_costs_that_were_measured_in_one_go_replace_those_of_runs(tmp_path):
    als, bsl = row("als", folder=tmp_path), row("bsl", folder=tmp_path)
    again = replace(stored.COSTS, fit_seconds=77.0)
    timings.write(tmp_path, timings.Timings("quiet, 1 thread", "2026-01-01", {als.newest.stem: again}))
    of = without_tests(als, bsl)
    assert of.machine == "quiet, 1 thread"
    assert (cells(of)["als"]["fit s"], cells(of)["bsl"]["fit s"]) == ("77.0", "–")
    assert f"– as seconds: {NOT_AGAIN}." in footnotes([of.entries])
    shipped = row("swing", shipped=True)
    assert without_tests(shipped).machine == "a, 1 thread"
    other = timings.Timings("quiet, 1 thread", "2026-01-01", {"another board's": again})
    timings.write(tmp_path, other)
    assert without_tests(als, bsl).machine == "a, 1 thread", "nothing of this board was measured again"


def test_rows_that_are_not_measured_again_are_told_from_those_that_were_not_yet(tmp_path):
    als, tuned = row("als", folder=tmp_path), row("bsl", folder=tmp_path, by="tuning")
    plugin = row("what_next", folder=tmp_path, code="abc")
    again = timings.Timings("quiet, 1 thread", "2026-01-01", {als.newest.stem: stored.COSTS})
    timings.write(tmp_path, again)
    for each in (tuned, plugin, row("swing", shipped=True)):
        assert f"– as seconds: {NEVER_AGAIN}." in footnotes([without_tests(als, each).entries])


def test_seconds_are_of_the_machine_of_ones_own_rows():
    theirs = [row(name, processor="theirs", shipped=True) for name in ("bsl", "swing", "item_cf")]
    assert without_tests(*theirs, row("als", processor="ours", by="hand")).machine == "ours, 1 thread"
    assert without_tests(*theirs, failed()).machine == "theirs, 1 thread"


def test_seconds_of_shipped_rows_in_one_go_do_not_replace_ones_own(tmp_path):
    theirs = row("bsl", processor="theirs", shipped=True, folder=tmp_path)
    again = timings.Timings("quiet, 1 thread", "2026-01-01", {theirs.newest.stem: stored.COSTS})
    timings.write(tmp_path, again)
    assert without_tests(theirs).machine == "quiet, 1 thread"
    assert without_tests(theirs, failed()).machine == "quiet, 1 thread"
    ours = row("als", processor="ours", folder=tmp_path / "own")
    found = without_tests(theirs, ours)
    assert found.machine == "ours, 1 thread"
    assert [each.costs.seconds is None for each in found.entries] == [
        each.row.shipped for each in found.entries
    ]


def test_lists_from_elsewhere_have_no_seconds_and_the_page_says_why():
    theirs = row("theirs", by="lists")
    unknown = [replace(each, result=replace(each.measured, costs=UNKNOWN_COSTS)) for each in theirs.done]
    of = without_tests(row("als"), replace(theirs, done=unknown))
    assert f"– as seconds: {UNKNOWN}." in footnotes([of.entries])
    both = without_tests(row("als"), row("swing"), row("bsl", processor="b"), replace(theirs, done=unknown))
    assert f"– as seconds: {ELSEWHERE}; {UNKNOWN}." in footnotes([both.entries])


@pytest.mark.parametrize(("peak", "shown"), [(0.0, False), (512.0, True)])
def test_the_memory_of_a_gpu_has_a_column_where_one_was_used(peak, shown):
    text = metric_tables.other_costs(without_tests(row("any", peak_gpu_mib=peak), failed()))
    assert ("peak GPU MiB" in text) is shown


@pytest.mark.parametrize(("parameters", "shown"), [(1234, "1,234"), (None, "–"), (0, "0")])
def test_parameters_that_are_not_told_are_a_dash(parameters, shown):
    text = metric_tables.other_costs(without_tests(row("any", parameters=parameters)))
    assert text.splitlines()[-1].split("|")[-2].strip() == shown


def test_parameters_are_the_same_on_every_machine():
    text = metric_tables.other_costs(without_tests(row("one"), row("two", processor="b", parameters=77)))
    assert [line.split("|")[-2].strip() for line in text.splitlines()[-2:]] == ["1", "77"]


def test_an_override_is_not_the_best_unless_all_are():
    plain, picked = row("infonce", 0.2, {"size": 1}), row("infonce", 0.3, {"size": 2}, by="command line")
    text = markdown(table(without_tests(plain, picked)))
    assert text.count("**0.2000**") == 2 and "**0.3000**" not in text
    assert markdown(table(without_tests(picked))).count("**0.3000**") == 2


def test_a_metric_that_records_lack_is_a_dash_and_nobodys_best():
    lines = [Row(model, {}, [stored.record(metrics={"ndcg": 0.2})], []) for model in ("als", "bsl")]
    text = markdown(table(without_tests(*lines)))
    assert "**–**" not in text and text.count("**0.2000**") == 2


def test_a_failed_row_says_how_to_be_rid_of_it():
    (warning,) = warnings(without_tests(row("hot"), failed()))
    assert warning.startswith("bad failed (ValueError: too | much for me): run it again, or delete runs/bad-")


def test_budgets_that_differ_and_settings_of_other_data_are_told():
    made = [
        replace(row(name, by="budget").done[0].provenance, cap_minutes=cap)
        for name, cap in (("a", 45), ("b", 20))
    ]
    rows = [
        Row(f"m{at}", {}, [replace(stored.record(), provenance=each)], []) for at, each in enumerate(made)
    ]
    assert warnings(without_tests(*rows)) == ["Budgets differ: 20 min, 45 min."]
    assert warnings(without_tests(rows[0])) == []
    (warning,) = warnings(without_tests(row("als", other_data=True, by="tuning")))
    assert warning == "Tuned on other data than this: als."


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_terminals_width_is_kept_and_the_best_columns_with_it(width):
    many = Row(
        "als", {}, [stored.record("als", ndcg=each, by="tuning", trials=99) for each in (0.2, 0.3)], []
    )
    text = shown(board(*BOTH, many, failed()), width)
    assert max(map(len, text.splitlines())) <= width
    headers = [line.split() for line in text.splitlines() if line.startswith("model  ")]
    assert len(headers) == 2 and all({"model", "NDCG@20", "Recall@20"} <= set(each) for each in headers)
    assert "**" not in text and "|" not in text.replace("too | much", "")
    told = " ".join(text.split())
    assert "bad (failed)" in told and "delete runs/bad-seed0-" in told
    assert "note: 3 [b]rows[/b] dropped" in told and "Explored further" in told


def test_eighty_columns_have_room_for_costs_and_change():
    header = next(line for line in shown(board(*BOTH), 80).splitlines() if line.startswith("model"))
    assert "Δ to ItemCF" in header and "fit s" in header and "rank s" in header and "settings" in header


def test_a_label_that_is_wrapped_goes_on_indented_and_numbered_rows_have_their_settings():
    long = row("infonce", 0.3, {"history_encoder": "mean", "epochs": 1}, by="hand")
    given = [{"epochs": 2, "norm": 2}, {"epochs": 2, "norm": 3}, {"epochs": 3, "norm": 3}]
    others = [row("infonce", 0.1, each) for each in given]
    text = shown(board(row("als", 0.2), replace(long, failed=[failed().failed[0]]), *others), 80)
    assert "\ninfonce (manual) (1 of 2" in text and "\n  seeds failed) " in text
    assert "\ninfonce 1: epochs=2, norm=2\ninfonce 2: epochs=2, norm=3\ninfonce 3: epochs=3, norm=3\n" in text


def test_a_narrow_terminal_keeps_the_metric_that_ranks():
    header = next(line for line in shown(board(row("als", 0.2)), 30).splitlines() if line.startswith("model"))
    assert header.split()[:2] == ["model", "NDCG@20"]


def test_the_best_is_bold_on_a_terminal_and_plain_elsewhere():
    of = board(row("als", 0.2), row("bsl", 0.3))
    assert re.search(r"\x1b\[1;32m *0\.3000\x1b", shown(of, 120, color=True))
    assert not re.search(r"\x1b\[1;32m *0\.2000\x1b", shown(of, 120, color=True))
    assert "\x1b" not in shown(of, 120)


@pytest.mark.parametrize(("ndcg", "told"), [(0.1, True), (0.3, True), (0.302, True), (0.31, False)])
def test_a_model_that_is_not_above_popularity_is_told_on_the_terminal_too(ndcg, told):
    text = " ".join(shown(board(row("global_hot", 0.3), row("als", ndcg)), 80).split())
    warning = "warning: als: NDCG@20 not above Global Hot's; doubt it or its settings"
    assert (warning in text) is told


def test_the_best_there_can_be_is_not_told_to_be_below_popularity():
    assert "above Global Hot" not in shown(board(row("global_hot", 0.995), row("als", 1.0)), 80)
    assert "above Global Hot" in shown(board(row("global_hot", 0.995), row("als", 0.99)), 80)


def test_popularity_is_not_told_to_be_below_itself():
    text = shown(board(row("global_hot", 0.3), row("global_hot", 0.1, {"half_life": 1})), 80)
    assert "above Global Hot" not in text


def test_kinds_of_indexes_are_drawn_by_the_same_means():
    kind = index_section.IndexKind("ivf_pq", {"nprobe": 8}, 1.5, 20.0, 10.0, 19.0, 0.75, 0.01)
    about = ("f", "infonce", "", 20, 5, 8, 9, 0.5, (kind,), "2026-01-02", "a", 2, 0.0, "")
    compared = index_section.IndexComparison(*about)
    out = io.StringIO()
    terminal.draw(index_section.for_terminal(compared), Console(file=out, width=200))
    header, _, line = out.getvalue().splitlines()
    assert header.startswith("index ") and "Recall@20 of exact" in header and "NDCG@20 lost" in header
    assert line.split() == ["ivf_pq", "1.50", "20", "10", "19", "0.7500", "0.0100", "nprobe", "8"]
