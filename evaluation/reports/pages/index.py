"""Lists of pages: the boards of a dataset that has several, and of a whole folder of results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard.evaluation.reports.pages.data_section import FINGERPRINT
from retrieval_leaderboard.evaluation.reports.pages.page import FOOTER, VERDICT
from retrieval_leaderboard.evaluation.reports.pages.stems import may_be_of

TITLE = "# Leaderboards"
SYNTHETIC = "synthetic"
OFFICIAL = (
    "Official rows have their model's defaults, or what the same search found within one budget of time; the "
    "others were explored further. Where the best of those is of a model without an official row, it is "
    "named first. Costs are seconds to fit and to rank, without the search.\n"
)


@dataclass(frozen=True)
class Link:
    """A page of a board, by what it says of itself."""

    path: Path
    title: str
    verdict: str

    @property
    def synthetic(self) -> bool:
        """Whether its data was made by a generator, as titles tell."""
        return SYNTHETIC in self.title


def pages(folder: Path) -> Iterator[Link]:
    """The pages of boards in a dataset's folder, by name; copies of them that somebody made are left out."""
    for path in sorted(folder.glob("*.md")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # Another command has removed it since.
            continue
        title, _, rest = text.partition("\n")
        line = rest.lstrip().partition("\n")[0]
        heading, (_, _, about) = title.removeprefix("# "), rest.partition(FINGERPRINT)
        is_board = title != heading and line.startswith(VERDICT)
        if is_board and may_be_of(heading, about.partition("`")[0], path.stem):
            yield Link(path, heading, line.removeprefix(VERDICT))


def of_dataset(folder: Path) -> str:
    """The list of a dataset's boards, for one with several."""
    return f"# {folder.name}\n\n{_listed(pages(folder), folder)}\n{FOOTER}"


def moved(links: Iterable[Link], folder: Path) -> str:
    """What stands where a board was that has another page by now, or several on data that has changed."""
    return f"# Moved\n\nThe board that was here has another page now:\n\n{_listed(links, folder)}"


def of_results(results: Path, shipped: Path, own: str) -> str:
    """`README.md` of a folder of results: real datasets first, each board with its verdict.

    Folders of the user's within the shipped one list the shipped boards too; one elsewhere may go anywhere,
    and links from there would lead nowhere.

    Args:
        results: the folder.
        shipped: that of the boards that came with the project.
        own: name of the user's folder in it.
    """
    if results.resolve() == shipped.resolve():
        parts = [
            _boards(results, results),
            f"Boards of your own runs are listed in `{own}/README.md`, once there are any.\n",
        ]
    elif not results.resolve().is_relative_to(shipped.resolve()):
        parts = [_boards(results, results)]
    else:
        parts = ["## Boards of your own runs\n", _boards(results, results)]
        parts += ["## Boards that came with the project\n", _boards(shipped, results)]
    return "\n".join(
        [f"{TITLE}\n", "Every number of ours is derived from the runs stored beside it.\n", OFFICIAL, *parts]
    )


def _boards(results: Path, seen_from: Path) -> str:
    """The boards under `results`, linked from a page in `seen_from`: real data, then synthetic."""
    found = [
        link for folder in sorted(results.glob("*")) if (folder / "runs").is_dir() for link in pages(folder)
    ]
    real = _listed((link for link in found if not link.synthetic), seen_from)
    synthetic = _listed((link for link in found if link.synthetic), seen_from)
    return (
        "\n".join(filter(None, [real, synthetic and f"On synthetic data:\n\n{synthetic}"])) or "None yet.\n"
    )


def _listed(links: Iterable[Link], seen_from: Path) -> str:
    return "".join(
        f"- [{link.title}]({Path(os.path.relpath(link.path, seen_from)).as_posix()})  \n  {link.verdict}\n"
        for link in links
    )
