"""Tables of Markdown pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tabulate import tabulate


def table(rows: Iterable[Sequence[object]], header: Sequence[str], numbers: Collection[int] = ()) -> str:
    """A table as text, cells as they are given but for bars, without a line break at its end.

    Args:
        rows: the cells of each row.
        header: a name a column.
        numbers: positions of the columns that are aligned to the right.
    """
    align = ["right" if at in numbers else "left" for at in range(len(header))] if numbers else None
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    return tabulate(cells, header, tablefmt="pipe", colalign=align, disable_numparse=True)
