import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.reports.figures import tex
from tests.evaluation.reports import drawn

DOCUMENT = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n%s\\end{document}\n"


@pytest.fixture
def table(tmp_path):
    """With every row, the names that would harm among them."""
    board = drawn.data(tmp_path)
    return tex.table(replace(board, rows=[replace(row, official=True) for row in board.rows]))


def can_compile():
    found = shutil.which("kpsewhich") and shutil.which("pdflatex")
    return bool(found and subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True).stdout)


def test_special_characters_are_set_as_they_stand():
    assert tex.escaped("a_b 5 % $x & #1 {y}") == r"a\_b 5 \% \$x \& \#1 \{y\}"
    assert tex.escaped("\\~^<>|") == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}"
    )
    assert tex.escaped("two\nlines") == "two lines"


def test_every_line_has_as_many_cells_and_braces_match(table):
    kinds = re.search(r"\\begin\{tabular\}\{(\w+)\}", table)[1]
    lines = [line for line in table.splitlines() if line.endswith(r" \\")]
    assert len(lines) == 7
    assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {len(kinds)}
    bare = re.sub(r"\\[{}]", "", table)
    assert bare.count("{") == bare.count("}")
    body = table[table.index(r"\toprule") :]
    assert not re.search(r"(?<!\\)[%#$]", body) and not re.search(r"(?<!\\)_", body)


def test_the_best_official_figure_is_bold(tmp_path):
    text = tex.table(drawn.data(tmp_path))
    assert r"bsl & \textbf{0.1700} {\scriptsize [0.1600, 0.1800]} & \(+0.0200\)" in text
    assert "override" not in text and text.count("textbf{0.1700}") == 4


@pytest.mark.skipif(
    not can_compile(), reason="no pdflatex with booktabs: apt-get install texlive-latex-recommended"
)
def test_it_compiles(table, tmp_path):
    (tmp_path / "board.tex").write_text(DOCUMENT % table)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "board.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
