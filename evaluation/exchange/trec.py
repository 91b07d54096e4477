"""TREC's run format: `qid Q0 docno rank score tag` on each line, separated by blanks.

As trec_eval reads it, a list is ordered by score, not by rank; here equal scores keep the order of ranks.
See https://github.com/usnistgov/trec_eval.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from retrieval_leaderboard.datasets.tables import packed, text_file
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".trec", ".run")
FIELDS = ("qid", "Q0", "docno", "rank", "score", "tag")


def is_run(path: Path) -> bool:
    """Whether a file is of this format, by its name."""
    return packed.kind(path) in SUFFIXES


def read(path: Path) -> dict[str, Cells]:
    """The columns of FIELDS, as text.

    Raises:
        InputError: no such file, an empty one, or a line of more or fewer fields.
    """
    import pandas as pd

    content = text_file.text(path, packed.read(path))
    try:
        frame = pd.read_csv(
            io.BytesIO(content), sep=r"\s+", header=None, names=[*FIELDS, "more"], dtype=str, quoting=3,
            keep_default_na=False, na_values=[""], skip_blank_lines=False, index_col=False,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        line = re.search(r"line (\d+)", str(error))
        raise _fields(path, line[1] if line else "?") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason}); save it again") from error
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="line")
    frame = frame[~frame.isna().all(axis=1)]
    wrong = frame.index[frame[list(FIELDS)].isna().any(axis=1) | frame["more"].notna()]
    if len(wrong):
        raise _fields(path, str(wrong[0]))
    return {name: Cells(path, name, frame[name]) for name in FIELDS}


def write(file: TextIO, lists: pd.DataFrame, tag: str) -> None:
    """Write lists with the columns qid, item and rank; InputError for an id that has a blank in it.

    Scores fall with the ranks, so that every evaluator has the same order.
    """
    for name in ("qid", "item"):
        blank = lists[name][lists[name].str.contains(r"\s")]
        if len(blank):
            raise InputError(
                f"the id '{blank.iloc[0]}' has a blank in it, which a TREC run cannot hold; write Parquet"
            )
    longest = int(lists["rank"].max()) if len(lists) else 0
    for qid, item, rank in zip(lists["qid"], lists["item"], lists["rank"], strict=True):
        file.write(f"{qid} Q0 {item} {rank} {longest + 1 - rank} {tag}\n")


def _fields(path: Path, line: str) -> InputError:
    return InputError(f"{path}, line {line}: a line of a TREC run has six fields: {' '.join(FIELDS)}")
