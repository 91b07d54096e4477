"""Dates by a format of strptime that the user names, and formats to propose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import unix_times
from retrieval_leaderboard.datasets.times.date_codes import width
from retrieval_leaderboard.datasets.times.unix_times import BILLION, UNITS, Times
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

NUMERIC = ("int", "uint", "float", "double", "halffloat", "decimal")
OFTEN = (
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %d %H:%M:%S %z %Y",
)
"""Formats that are proposed where they fit: which of two is meant is the user's to say"""


def check(form: str) -> None:
    """Refuse what is neither a unit nor a format of strptime.

    Raises:
        InputError: with the units and an example.
    """
    import pandas as pd

    advice = f"give {', '.join(UNITS)}, or a format of strptime such as %Y%m%d"
    if form not in UNITS and "%" not in form:
        raise InputError(f"--time-format '{form}': {advice}")
    if form not in UNITS:
        try:
            pd.to_datetime(pd.Series(["x"]), format=_with_year(form)[1], errors="coerce")
        except ValueError as error:
            raise InputError(f"--time-format '{form}': {error}; {advice}") from error


def read(cells: Cells, form: str) -> Times:
    """Text or numbers by a format of strptime; without a year in it all lie in 2000, a leap year.

    Raises:
        InputError: a value that does not fit (file and line).
    """
    import pandas as pd

    if cells.arrow_type().startswith(NUMERIC):
        wholes, _ = unix_times.exact(cells)
        values = pd.Series(wholes.astype(str), index=cells.values.index)
    else:
        values = cells.values.str.strip()
    values = values.str.zfill(width(form)).where(values.str.contains(r"[0-9]"))
    prefix, whole = _with_year(form)
    dates = pd.to_datetime(prefix + values, format=whole, utc=True, errors="coerce")
    wrong = dates.isna().to_numpy(dtype=bool)
    if wrong.any():
        raise cells.wrong(int(np.argmax(wrong)), f"does not fit --time-format '{form}'; correct one of them")
    return of_dates(dates, f"by {form}" + (", in the year 2000" if prefix else ""))


def _with_year(form: str) -> tuple[str, str]:
    """What goes before each value, and the format then: without a year all lie in 2000, a leap year."""
    has_year = re.search(r"%[YyGcx]", form)
    return ("", form) if has_year else ("2000 ", f"%Y {form}")


def of_dates(dates: pd.Series, unit: str) -> Times:
    """Dates of any resolution and zone, those without a zone in UTC; `unit` is `Times.unit`."""
    import pandas as pd

    values = pd.to_datetime(dates, utc=True).dt.tz_localize(None).to_numpy()
    per_second = UNITS[np.datetime_data(values.dtype)[0]]
    seconds, rest = np.divmod(values.view(np.int64), per_second)
    return Times(seconds, (rest * (BILLION // per_second)).astype(np.int32), unit)


def proposed(cells: Cells, at: int) -> list[str]:
    """The formats of `OFTEN` that fit value number `at`, and all others."""
    import pandas as pd

    text = cells.values.str.strip()
    # pandas takes "now" and "today" in any format.
    text = text.where(text.str.contains(r"[0-9]"))

    def fit(form: str, texts: pd.Series) -> bool:
        return bool(pd.to_datetime(texts, format=form, utc=True, errors="coerce").notna().all())

    return [form for form in OFTEN if fit(form, text.iloc[[at]]) and fit(form, text)]
