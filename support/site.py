"""The pages as a site: `python -m support.site` lays them out for MkDocs as they lie here, with their links.

What a page links to outside the pages, such as a file of code, comes along.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build" / "pages"
PAGES = ("*.md", "docs/*.md", "results/*.md", "results/*/*.md")
OWN = ROOT / "results" / "local"
LINK = re.compile(r"\]\(\s*([^)#:\s]+)(#[^)]*)?\)")

NUMBERED = re.compile(r"^\d+\. .*\n(?:(?:   .*)?\n)*", re.MULTILINE)
"""An item of a numbered list with what is indented below it by three blanks"""
STYLE = ROOT / "docs" / "site.css"


def main() -> int:
    """Lay out everything anew; 1 where a link leads nowhere."""
    shutil.rmtree(TARGET, ignore_errors=True)
    _copy(STYLE)
    found = [page for pattern in PAGES for page in sorted(ROOT.glob(pattern)) if OWN not in page.parents]
    missing = [f"{page.relative_to(ROOT)}: {link}" for page in found for link in _laid(page)]
    print("\n".join(missing), file=sys.stderr, end="\n" if missing else "")
    return 1 if missing else 0


def _laid(page: Path) -> Iterator[str]:
    """Write a page and what it links to; the links that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    for link, _ in LINK.findall(text):
        linked = (page.parent / link).resolve()
        if linked.is_file() and linked.suffix != ".md":
            _copy(linked)
        elif not linked.exists() and not link.startswith("local/"):
            yield link
    target = TARGET / page.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_as_site(text), encoding="utf-8")


def _as_site(text: str) -> str:
    """As Python-Markdown reads HTML and lists, otherwise than GitHub; without links to one's own boards."""
    text = text.replace("<details>", '<details markdown="1">')
    text = re.sub(r"\[([^]]*)\]\(local/[^)]*\)", r"`\1`", text)
    return NUMBERED.sub(lambda item: re.sub(r"\n(?=   )", "\n ", item[0]), text)


def _copy(file: Path) -> None:
    target = TARGET / file.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


if __name__ == "__main__":
    sys.exit(main())
