"""A whole page: the order of its sections, its width, its links."""

import re
from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports.main_table import COUNTED_ONCE
from retrieval_leaderboard.evaluation.reports.pages.page import (
    BELOW_DEFAULTS,
    ONE_OVERRIDE,
    ONLY_OVERRIDES,
    OVERRIDES,
    VERDICT,
    markdown,
)
from tests.evaluation.reports import widths
from tests.evaluation.reports.boards import failed, row, with_tests, without_tests
from tests.evaluation.stored import part

SLICES = [
    "warm",
    "cold users",
    "history 1–2",
    "history 3–9",
    "history 10+",
    "head items",
    "tail items",
    "cold items",
]


def page(of, tmp_path):
    return markdown(of, [of.board], tmp_path)


def of(model, **changed):
    return settings.defaults(registry.get(model)) | changed


def full():
    """Many rows with long names and everything there is to tell."""
    slices = tuple(part(name, 123_456, random_recall=0.001) for name in SLICES)
    models = registry.names()
    rows = [
        row(name, 0.5 - at / 100, of(name), slices=slices, fit_seconds=12_345.6, cores_elsewhere=1.3)
        for at, name in enumerate(models)
    ]
    more = {"by": "hand", "trials": 204, "at_least": True, "slices": slices}
    rows += [
        row("simplex_ccl", 0.4, of("simplex_ccl", neighbors=neighbors), propagates=bool(neighbors), **more)
        for neighbors in (0, 20)
    ]
    rows.append(row("dssm_bce", 0.3, of("dssm_bce", epochs=3), by="command line", slices=slices))
    return with_tests(*rows, failed("a_model_of_ones_own"), name="gowalla", protocol="published")


def test_nothing_is_cut_on_a_wide_page(tmp_path):
    text = page(full(), tmp_path)
    widths.check(text)
    main, explored, *_ = widths.tables(text)
    assert len(main[0]) == 9 and max(map(widths.characters, (main, explored))) <= widths.CHARACTERS


def test_a_table_that_is_too_wide_is_found():
    with pytest.raises(AssertionError):
        widths.check("| " + " | ".join(["column"] * 10) + " |\n| - |\n")
    with pytest.raises(AssertionError):
        widths.check("| " + "a" * 120 + " |\n| - |\n")
    with pytest.raises(AssertionError):
        widths.check("```sh\n" + "a" * 120 + "\n```\n")


def test_the_order_of_sections(tmp_path):
    text = page(full(), tmp_path)
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings == [
        "Models, seconds on a, 1 thread", "Explored further", "Beside published numbers", "Slices",
        "Other metrics", "Other costs", "Settings", "Data", "Provenance", "Warnings",
    ]  # fmt: skip


def test_every_link_leads_to_one_place(tmp_path):
    text = page(full(), tmp_path)
    anchors = re.findall(r'<a id="([^"]*)"></a>', text)
    assert len(anchors) == len(set(anchors)) == len(full().entries)
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) == set(anchors)


def test_the_verdict_is_the_first_line_after_the_title(tmp_path):
    title, blank, verdict, *_ = page(full(), tmp_path).splitlines()
    assert (
        title == "# mine: published, seen items excluded, top 20"
        and not blank
        and verdict.startswith(VERDICT)
    )


@pytest.mark.parametrize("rows", [[row("als")], [failed()], [row("als", by="hand")]])
def test_a_page_of_little_has_no_empty_part(rows, tmp_path):
    text = page(without_tests(*rows), tmp_path)
    assert "\n\n\n" not in text and VERDICT in text
    assert ("## Explored further" in text) is (rows[0].provenance.by == "hand")
    assert ("## Models" in text) is (rows[0].provenance.by == "defaults")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (["hand", "tuning"], None),
        (["command line"], ONE_OVERRIDE),
        (["command line", "command line"], ONLY_OVERRIDES),
        (["command line", "hand"], OVERRIDES),
    ],
)
def test_what_is_said_of_overrides_is_true_of_the_table(made, told, tmp_path):
    rows = [row(name, 0.5 - at / 10, by=by) for at, (name, by) in enumerate(zip("ab", made, strict=False))]
    text = page(without_tests(*rows), tmp_path)
    notes = (OVERRIDES, ONLY_OVERRIDES, ONE_OVERRIDE)
    assert [note for note in notes if note in text] == [told] * bool(told)
    assert ("**0.5000**" in text) is (told is not OVERRIDES)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (["defaults", "defaults"], "Official rows: each model with its defaults.\n"),
        (["budget", "budget"], "within one budget of time.\n"),
        (["budget", "defaults"], "within one budget of time. Not searched: bsl.\n"),
    ],
)
def test_what_was_not_searched_is_told_where_other_models_were(made, told, tmp_path):
    assert told in page(without_tests(row("als", by=made[0]), row("bsl", by=made[1])), tmp_path)


def test_searched_rows_below_their_defaults_are_named(tmp_path):
    rows = [row("als", 0.5), row("als", 0.4, {"factors": 3}, by="budget")]
    rows += [row("bsl", 0.3), row("bsl", 0.35, {"epochs": 3}, by="budget"), row("swing", 0.2, by="budget")]
    assert f" {BELOW_DEFAULTS}: als.\n" in page(without_tests(*rows), tmp_path)
    assert BELOW_DEFAULTS not in page(without_tests(*rows[2:]), tmp_path)
    same = [row("als", 0.5), row("als", 0.4, by="budget")]  # Of two processors.
    assert BELOW_DEFAULTS not in page(without_tests(*same), tmp_path)


def test_a_bar_in_a_setting_breaks_no_table(tmp_path):
    text = page(without_tests(row("mine", 0.5, {"pattern": "a|b"}), row("mine", 0.4)), tmp_path)
    lines = [line for line in text.splitlines() if line.startswith("|") and "pattern" in line]
    assert lines and all(re.search(r"pattern=a\\\|b", line) for line in lines)


def test_models_without_an_official_row_are_named(tmp_path):
    rows = row("als", by="budget"), row("als", by="hand"), row("bsl", by="tuning"), row("theirs", by="lists")
    assert " Without an official row: bsl.\n" in page(without_tests(*rows), tmp_path)


@pytest.mark.parametrize("more", [{"by": "hand"}, {"shipped": True}])
def test_a_row_with_the_settings_of_another_says_so(more, tmp_path):
    ours = row("als", 0.5, {"factors": "auto"}, resolved={"factors": 64})
    again = row("als", 0.6, {"factors": 64}, **more)
    found = with_tests(ours, again, row("bsl"))
    other, first = found.entries[0], found.entries[1]
    assert (first.repeats, other.repeats) == ("", first.name)
    text = page(found, tmp_path)
    assert f"[{other.row.provenance.brief}, as {first.name}](#{other.anchor}) |" in text
    assert f"; the settings of [{first.name}](#{first.anchor})\n" in text
    assert f"**{first.name}** leads" in text and "Explored further, **" not in text
    ranks = [replace(each, standing=replace(each.standing, rank="=")) for each in found.entries]
    told = page(replace(found, entries=ranks), tmp_path)
    assert COUNTED_ONCE in told and COUNTED_ONCE not in text


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (["tuning"], "\nSettings found by a search with a number of trials of its own: follow the link"),
        (
            ["tuning", "hand"],
            "\nSettings found by hand or by a search with a number of trials of its own: follow",
        ),
        (["lists"], "\nLists from elsewhere: follow the link"),
        (["lists", "hand"], "\nSettings found by hand, and lists from elsewhere: follow"),
    ],
)
def test_where_explored_rows_come_from_is_told_of_those_there_are(made, told, tmp_path):
    assert told in page(without_tests(*(row(way, by=way) for way in made)), tmp_path)


def test_synthetic_data_is_told_in_the_title_and_below(tmp_path):
    text = page(without_tests(row("als"), synthetic=True), tmp_path)
    assert "synthetic" in text.splitlines()[0] and "no number here is a real dataset's" in text


def test_a_board_with_ties_of_the_source_says_what_they_favor(tmp_path):
    told = "favors models that learn from order"
    assert told in page(with_tests(row("als"), row("item_cf"), ties="source"), tmp_path)
    assert told not in page(with_tests(row("als"), row("item_cf"), ties="random"), tmp_path)


def test_boards_of_other_splits_have_their_spread(tmp_path):
    first, second = without_tests(row("als", 0.2)).board, without_tests(row("als", 0.4)).board
    family = [first, replace(second, dataset=replace(second.dataset, split_seed=1))]
    text = markdown(without_tests(*first.rows), family, tmp_path)
    assert "## Spread over split seeds" in text and "0.3000 ± 0.1414" in text


def test_a_shipped_row_beside_ones_own_is_no_other_split(tmp_path):
    first, second = (without_tests(row("als", each)).board for each in (0.2, 0.4))
    family = [
        replace(first, rows=[row("als", 0.9, shipped=True), *first.rows]),
        replace(second, dataset=replace(second.dataset, split_seed=1)),
    ]
    text = markdown(without_tests(*first.rows), family, tmp_path)
    (line,) = [line for line in text.partition("## Spread")[2].splitlines() if line.startswith("| als")]
    assert "|             2 |" in line and "0.3000 ± 0.1414" in line


def test_runs_are_told_with_what_they_ran_on(tmp_path):
    text = page(without_tests(row("als"), row("bsl", processor="b", date="2026-02-02 00:00 UTC")), tmp_path)
    assert "- runs on a, 1 thread\n- runs on b, 1 thread\n" in text
    assert "- runs from 2026-01-01 00:00 UTC to 2026-02-02 00:00 UTC" in text
