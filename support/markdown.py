"""Tables of Markdown pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tabulate import tabulate


def table(rows: Iterable[Sequence[object]], header: Sequence[str], numbers: Collection[int] = ()) -> str:
    """A table as text, cells as they are given, without a line break at its end.

    Args:
        rows: the cells of each row.
        header: a name a column.
        numbers: positions of the columns that are aligned to the right.
    """
    align = ["right" if at in numbers else "left" for at in range(len(header))] if numbers else None
    return tabulate(list(rows), header, tablefmt="pipe", colalign=align, disable_numparse=True)
