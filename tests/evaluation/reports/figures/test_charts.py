import itertools
import random
from dataclasses import replace

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.figures import (
    charts,
    detail_charts,
    palette,
    placement,
    svg,
    themes,
    vega,
)
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.figures.placement import Box, Point
from retrieval_leaderboard.evaluation.reports.report import report
from tests.evaluation.reports import drawn

DEFAULT_MODELS = ("global_hot", "item_cf", "swing", "als", "dssm_bce", "simplex_ccl", "infonce", "bsl")
WHITE, DARK = "#ffffff", "#0d1117"


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", [*palette.COLORS.values(), *palette.OTHERS, themes.TEXT])
def test_marks_can_be_seen_on_white_and_on_a_dark_page(color):
    assert min(contrast(color, WHITE), contrast(color, DARK)) >= 3


def test_text_in_pictures_and_cells_can_be_read():
    assert min(contrast(themes.TEXT, WHITE), contrast(themes.TEXT, DARK)) > 4.2
    assert min(contrast(color, WHITE) for color in detail_charts.VERDICTS.values()) >= 4.5


def test_a_model_has_one_color_everywhere_and_default_models_differ():
    assert len({palette.color(model) for model in DEFAULT_MODELS}) == len(DEFAULT_MODELS)
    assert palette.color("mine") == palette.color("mine") in palette.OTHERS


def test_labels_overlap_neither_each_other_nor_marks():
    draw = random.Random(0)
    for _ in range(20):
        points = [
            Point("model" * draw.randint(1, 3), x, y, y + 8, y - 8)
            for x, y in ((draw.uniform(0, 700), draw.uniform(0, 300)) for _ in range(14))
        ]
        boxes = [label.box for label in placement.place(points, 700, 300) if label]
        assert len(boxes) >= 10
        side = placement.MARKER
        marks = [Box(each.x - side, each.y - side, each.x + side, each.y + side) for each in points]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        assert not any(box.overlaps(mark) for box in boxes for mark in marks)
        assert all(box.within(700, 300) for box in boxes)


def test_a_label_without_room_is_left_out():
    same = [Point("a name of some length", 20.0, 20.0, 22.0, 18.0)] * 9
    placed = placement.place(same, 200, 40)
    assert None in placed and any(placed)


@pytest.mark.parametrize("name", ["gowalla", "ml-1m", "amazon-beauty"])
def test_every_label_of_a_shipped_board_has_room(name):
    for family in read_boards(ROOT / "results" / name):
        board = board_data(report(family[0]))
        spec = charts.quality_cost(board, board.done, svg.SIZE)
        unlabeled = [each["name"] for each in spec["data"]["values"] if "label_x" not in each] if spec else []
        assert not unlabeled


def test_rows_with_the_same_settings_are_drawn_once(tmp_path):
    board = drawn.data(tmp_path)
    names = {row.name for row in board.done if "fit_seconds" in row.costs}
    first, *_, last = (row for row in board.done if row.name in names)

    def shown(repeated):
        rows = [replace(row, repeats=repeated) if row is last else row for row in board.done]
        values = charts.quality_cost(board, rows, charts.WIDE)["data"]["values"]
        return {value["name"] for value in values}

    assert shown("") == shown("a row without seconds") == names
    assert shown(first.name) == names - {last.name}


def all_charts(board):
    functions = [charts.quality_cost, charts.intervals, detail_charts.curves, detail_charts.validation]
    functions += [detail_charts.losses, detail_charts.slices, detail_charts.significance]
    return {each.__name__: each(board, board.done, charts.WIDE) for each in functions}


def test_every_chart_is_drawn_where_there_is_something_to_draw(tmp_path):
    assert all(all_charts(drawn.data(tmp_path, with_curves=True)).values())
    assert all_charts(drawn.data(tmp_path / "again"))["curves"] is None


def test_far_rows_have_no_place_among_intervals(tmp_path):
    spec = charts.intervals((board := drawn.data(tmp_path)), board.done, charts.WIDE)
    assert "global_hot" not in {value["name"] for value in spec["data"]["values"]}


def test_significance_says_which_row_is_better(tmp_path):
    board = drawn.data(tmp_path)
    spec = detail_charts.significance(board, board.done, charts.WIDE)
    told = {(value["name"], value["other"]): value["verdict"] for value in spec["data"]["values"]}
    assert told["item_cf", "global_hot"] == "better" and told["global_hot", "item_cf"] == "worse"
    assert told["item_cf", drawn.HOSTILE] == "within noise"


def test_long_training_is_thinned_to_its_shape():
    points = [(epoch, 1 / epoch) for epoch in range(1, 1001)]
    row = type("Row", (), {"name": "a"})
    kept = list(detail_charts._points(row, points))
    assert len(kept) <= detail_charts.MOST_POINTS + 1 and [kept[0]["x"], kept[-1]["x"]] == [1, 1000]


def test_pictures_hold_names_as_text(tmp_path):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    board = drawn.data(tmp_path)
    assert set(svg.pictures(board)) == {"quality-cost", "intervals"}
    text = vega.svg(charts.intervals(board, board.done, svg.SIZE))
    assert "<script" not in text and "&lt;script&gt;" in text
    assert text.count("stroke-dasharray") == 1, "the line of the reference"
