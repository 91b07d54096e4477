"""The notebooks as they are stored: whole, of one run from top to end, and of no machine's folders."""

import re

import nbformat
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.notebooks import execute
from tests.notebooks.outputs import printed, shown


@pytest.fixture(params=execute.NAMES)
def stored(request):
    return nbformat.read(execute.FOLDER / f"{request.param}.ipynb", as_version=4)


def test_cells_were_run_in_their_order_without_an_error(stored):
    nbformat.validate(stored)
    assert (stored.nbformat, stored.nbformat_minor) == (4, 5)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [each for cell in code for each in cell.outputs if each.output_type == "error"]


def test_all_default_models_are_on_the_board(stored):
    (board,) = shown(stored, "board", "text/markdown")
    assert "**Verdict:**" in board
    table = re.findall(r"^\| \d\S* +\| (\w+)", board, re.MULTILINE)
    assert sorted(table) == sorted(registry.defaults())


def test_no_folder_of_a_machine_is_named(stored):
    text = nbformat.writes(stored)
    folders = re.findall(r"(?<![\w.:/])/(?:home|root|tmp|work|usr|Users|mnt|var|opt)/[^\s\"]*", text)
    assert not folders


def test_the_outputs_are_of_the_rehearsal_that_its_cell_says():
    stored = nbformat.read(execute.FOLDER / "train_kaggle.ipynb", as_version=4)
    source = next(cell.source for cell in stored.cells if cell["id"] == "parameters")
    (scale,) = re.findall(r'REHEARSAL = \["--scale", "([\d.]+)"', source)
    assert f"scale {scale}" in shown(stored, "board", "text/markdown")[0]
    data = load("aliec-sim", scale=float(scale))
    assert f"ranking {len(data.test):,} queries" in printed(stored, "run")
