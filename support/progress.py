"""Progress of everything that can take longer than two seconds.

A bar with rate and time left on a terminal, a plain line every few seconds elsewhere.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from retrieval_leaderboard.support.errors import abandoned

QUIET_SECONDS = 2.0
LINE_SECONDS = 5.0
BAR = 12
"""Characters of the bar itself; what it has no need of is left to the note"""

_quiet = False
_shown = False


def configure(quiet: bool) -> None:
    """Turn all progress of this process off, or on again."""
    global _quiet
    _quiet = quiet


def say(message: str) -> None:
    """Print one line, unless quiet.

    Raises:
        BrokenPipeError: nobody reads any more; a child goes on in silence, for the parent to decide.
    """
    if _quiet:
        return
    try:
        print(message, flush=True)
    except BrokenPipeError:
        if multiprocessing.parent_process() is None or not abandoned():
            raise
        configure(quiet=True)


@cache
def warn_once(sentence: str) -> None:
    """Print a warning on standard error, once a process, quiet or not."""
    print(f"warning: {sentence}", file=sys.stderr, flush=True)


@contextmanager
def bar(label: str, total: int, unit: str) -> Iterator[Callable[..., None]]:
    """Report work of `total` units; call the yielded `advance(done=1, note="")` as it goes on.

    A note stays until the next one. Inside another bar nothing is shown, nor on the threads of a service.
    """
    global _shown
    if _quiet or _shown or threading.current_thread() is not threading.main_thread():
        yield lambda done=1, note="": None
        return
    _shown = True
    try:
        if sys.stdout.isatty():
            yield from _terminal_bar(_Work(label, total, unit))
        else:
            yield _LineBar(_Work(label, total, unit)).advance
    finally:
        _shown = False


def busy() -> bool:
    """Whether a bar is shown, within which no other is."""
    return _shown


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one would say it: "90 s", "12 min", "2 h 5 min"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


class _Work:
    """How far the work has come."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done, self.note = 0, ""
        self.started = time.perf_counter()

    def advance(self, done: int, note: str) -> float:
        """Count it; the seconds since the work began."""
        self.done += done
        self.note = note or self.note
        return time.perf_counter() - self.started

    def figures(self, seconds: float) -> tuple[str, str, str]:
        """Share, rate and time left after so many seconds."""
        rate = self.done / max(seconds, 1e-9)
        left = max(self.total - self.done, 0) / max(rate, 1e-9)
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        share = f"{100 * self.done / max(self.total, 1):.0f} %"
        return share, f"{shown} {self.unit}/s", f"{duration(left)} left"


def _terminal_bar(work: _Work) -> Iterator[Callable[..., None]]:
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(BAR),
        TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[note]}", table_column=rest),
    )
    with Progress(*columns, transient=True, expand=True) as shown:
        task = shown.add_task(work.label, total=work.total, figures="", note="", visible=False)

        def advance(done: int = 1, note: str = "") -> None:
            seconds = work.advance(done, note)
            figures = ", ".join(work.figures(seconds))
            visible = seconds > QUIET_SECONDS
            shown.update(task, completed=work.done, figures=figures, note=work.note, visible=visible)

        yield advance


class _LineBar:
    """The same report as plain lines, for logs and pipes."""

    def __init__(self, work: _Work) -> None:
        self.work = work
        self.next_line = QUIET_SECONDS

    def advance(self, done: int = 1, note: str = "") -> None:
        seconds = self.work.advance(done, note)
        if seconds < self.next_line:
            return
        self.next_line = seconds + LINE_SECONDS
        share, rate, left = self.work.figures(seconds)
        say(f"{self.work.label}: {share}, {rate}, {left} {self.work.note}".rstrip())
