"""Ids that come some rows at a time, and must end as if all came at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.datasets.tables import ids
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times.parse import TEXT

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN = r"^(?:0|[1-9][0-9]*)$"
"""Ids of which there is nothing to check"""
COUNTED = re.compile(r"([0-9,]+) (.*)", re.DOTALL)
ALL = "stand in quotes"
"""What a note says that holds of all ids or of none"""
ALIKE = "look like others"
BYTES = "are bytes, read as"


class RawIdReader:
    """Reads a column of ids as `ids.read` does, chunk by chunk."""

    def __init__(self) -> None:
        self._chunks = 0
        self._said: dict[str, int] = {}
        """note, without the number that it begins with → how often, or the sum of its numbers"""
        self._numbered: dict[str, int] = {}
        self._floats = self._text = False
        """Whether ".0" was taken off whole numbers, and whether there are ids that are none"""

    def read(self, cells: Cells) -> pa.Array:
        """The ids of the next rows, as Arrow text.

        Raises:
            InputError: as `ids.read`; or whole numbers were written as floats, and an id is no whole number.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        self._chunks += 1
        text = pa.array(cells.values, from_pandas=True) if not cells.arrow_type() else None
        if text is not None and pc.all(pc.match_substring_regex(text, PLAIN)).as_py():
            return text.cast(pa.large_string())
        found, codes, notes = ids.read(cells)
        wholes = all(ids.WHOLE.fullmatch(name) for name in found)
        self._text |= not wholes
        floats = wholes and self._written_as_floats(cells)
        if (self._floats or floats) and self._text:
            at = 0 if wholes else int(np.argmax([not ids.WHOLE.fullmatch(name) for name in found]))
            raise cells.wrong(
                int(np.argmax(codes == at)),
                "does not go with other ids of the column, which are whole numbers written as floats or not: "
                "write all in one form, or leave --memory out",
            )
        self._floats |= floats
        for note in notes:
            self._note(note)
        if sum(BYTES in note for note in self._said) > 1:
            raise cells.error(
                0,
                f"ids of column '{cells.column}' are bytes, text above and none from here on; write them as "
                "text, or leave --memory out",
            )
        return pa.array(found, pa.large_string()).take(pa.array(codes))

    def notes(self) -> list[str]:
        """What a reader of a table should know, once all rows were read."""
        found = [note for note, times in self._said.items() if ALL not in note or times == self._chunks]
        return [*found, *(f"{count:,} {words}" for words, count in self._numbered.items())]

    def _written_as_floats(self, cells: Cells) -> bool:
        kind = cells.arrow_type()
        if kind not in TEXT:
            return kind.startswith(ids.FRACTIONAL)
        return bool(cells.values.str.contains(".", regex=False).any())

    def _note(self, note: str) -> None:
        numbered = COUNTED.fullmatch(note)
        if numbered is None:
            self._said[note] = self._said.get(note, 0) + 1
            return
        words, count = numbered[2], int(numbered[1].replace(",", ""))
        if ALIKE in words and any(ALIKE in known for known in self._numbered):
            return  # Those of one chunk are an example of all.
        self._numbered[words] = self._numbered.get(words, 0) + count
