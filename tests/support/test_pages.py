"""Marked parts of pages are filled, and marks that do not fit are refused."""

import re

import pytest

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.pages import fill, filled, marks

PAGE = """# A page

<!-- table: one -->
old
<!-- end -->

Prose.

<!-- table: two, three -->
<!-- end -->
"""


def test_parts_are_replaced_and_prose_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    fill(page, {"one": "| 1 |\n", "two, three": r"\1 is text"})
    text = page.read_text()
    assert text == (
        "# A page\n\n<!-- table: one -->\n\n| 1 |\n\n<!-- end -->\n\nProse.\n\n"
        "<!-- table: two, three -->\n\n\\1 is text\n\n<!-- end -->\n"
    )
    assert filled(text, {"one": "| 1 |", "two, three": r"\1 is text"}, page) == text
    assert marks(text) == ["one", "two, three"]


@pytest.mark.parametrize(
    ("text", "parts", "sentence"),
    [
        (PAGE, {"one": ""}, "no table is made for the mark 'two, three'"),
        (PAGE, {"one": "", "two, three": "", "four": ""}, "no place for a table: add <!-- table: four -->"),
        (PAGE + PAGE, {"one": "", "two, three": ""}, "the mark 'one' occurs twice"),
        (PAGE.replace("<!-- end -->", "", 1), {"one": "", "two, three": ""}, "'one' has no <!-- end -->"),
    ],
)
def test_marks_that_do_not_fit_are_refused(text, parts, sentence, tmp_path):
    with pytest.raises(InputError, match=re.escape(sentence)):
        filled(text, parts, tmp_path / "page.md")
