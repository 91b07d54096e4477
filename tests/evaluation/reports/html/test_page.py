"""The page as text: complete without anything else, and safe whatever a model is called."""

import base64
import hashlib
import json
import re
import tomllib
from dataclasses import replace

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation import __main__ as command
from retrieval_leaderboard.evaluation.reports import formats
from retrieval_leaderboard.evaluation.reports.figures import vega
from retrieval_leaderboard.evaluation.reports.html import page, table
from retrieval_leaderboard.support import errors
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.reports import drawn

MOST_BYTES = 6_000_000


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    board = drawn.data(tmp_path_factory.mktemp("board"), with_curves=True)
    return page.page(board, ["<b>note</b>"], {'x".html': "a <i>sibling</i>"}, "python -m evaluation")


def without_scripts(text):
    return re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", text, flags=re.DOTALL)


def test_names_and_notes_are_text_wherever_they_stand(text):
    bare = without_scripts(text)
    for harm in ("<script", "<img", "<b>", "<i>", 'x".html'):
        assert harm not in bare
    assert "&lt;script&gt;hacked=1&lt;/script&gt;" in bare and "&lt;img src=x onerror" in bare
    assert len(re.findall("</script", text)) == 3 and "<!--" not in text


def test_what_charts_show_is_json_that_no_name_can_end(text):
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', text, re.DOTALL)[1]
    assert not set("<>&") & set(found)
    values = json.loads(found)["cost"]["1060"]["data"]["values"]
    assert drawn.HOSTILE in {value["name"] for value in values}


def test_the_policy_allows_its_own_scripts_and_style_alone(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#39;", "'")
    blocks = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in blocks}
    assert len(blocks) == 3 and set(re.findall(r"'sha256-[^']+'", policy)) == hashes
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert not re.search(r"<link[^>]+stylesheet|<script[^>]+src=|url\(|@import", without_scripts(text))


def test_it_is_small_and_has_every_part(text):
    assert len(text.encode()) < MOST_BYTES
    for key, title, _, _ in page.FIGURES:
        assert f'id="{key}"' in text and title in text


def test_a_row_that_repeats_another_has_no_rank_of_its_own(tmp_path):
    made = drawn.data(tmp_path)
    repeated = replace(made, rows=[replace(row, rank="=") for row in made.rows])
    assert page.page(repeated).count('<td data-sort="">=</td>') == len(made.done)


def test_each_table_has_its_best(tmp_path):
    made = drawn.data(tmp_path)
    (ndcg,) = [column for column in table.columns(made) if column.kind == "ndcg"]
    assert [row.name for row in made.done if ndcg.cell(row).best] == ["bsl", drawn.HOSTILE]


def test_a_dash_for_costs_is_explained_where_there_is_one(tmp_path):
    made = drawn.data(tmp_path)
    assert "– as seconds: measured on another machine, " in page.page(made)
    assert "as seconds" not in page.page(replace(made, without_seconds=""))


def test_figures_without_data_are_left_out(tmp_path):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    assert 'id="curves"' not in page.page(drawn.data(tmp_path))


def test_the_same_board_gives_the_same_bytes(tmp_path):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    assert page.page(drawn.data(tmp_path / "one")) == page.page(drawn.data(tmp_path / "two"))


def test_a_missing_library_is_one_sentence(tmp_path, monkeypatch):
    board = drawn.data(tmp_path)
    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    for draw in (lambda: page.page(board), lambda: vega.svg({}), lambda: formats.parse("tex,html")):
        with pytest.raises(
            InputError, match=r"vl_convert not installed: pip install -r requirements-report.lock"
        ):
            draw()


def test_unknown_formats_are_refused_with_the_nearest():
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    assert formats.parse("html, svg,html") == ("html", "svg")
    with pytest.raises(InputError, match="unknown format in --report 'htm': did you mean 'html'"):
        formats.parse("htm")


def test_the_command_writes_every_format_of_a_folder(tmp_path, capsys):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    folder = drawn.keep(tmp_path)
    assert command.main(["report", "--results-dir", str(tmp_path), "--report", "html,svg,tex"]) == 0
    names = {
        "leaderboard.html",
        "leaderboard.tex",
        "leaderboard-quality-cost.svg",
        "leaderboard-intervals.svg",
    }
    assert all((folder / name).stat().st_size for name in names)
    told = capsys.readouterr().out.splitlines()
    assert {str(folder / name) for name in names} <= set(told)


def test_the_wheel_has_the_files_of_the_page():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "evaluation" in wheel["only-include"] and "exclude" not in wheel
    assert {path.name for path in page.HERE.iterdir()} >= {"template.html", "style.css", "page.js"}
