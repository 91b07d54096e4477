"""Progress of everything that can take longer than two seconds.

A bar with rate and time left on a terminal, a plain line every few seconds elsewhere.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_SECONDS = 2.0
LINE_SECONDS = 5.0

_quiet = False
_shown = False


def configure(quiet: bool) -> None:
    """Turn all progress of this process off, or on again."""
    global _quiet
    _quiet = quiet


def say(message: str) -> None:
    """Print one line, unless quiet."""
    if not _quiet:
        print(message, flush=True)


@contextmanager
def bar(label: str, total: int, unit: str) -> Iterator[Callable[..., None]]:
    """Report work of `total` units; call the yielded `advance(done=1, note="")` as it goes on.

    A note stays until the next one. Inside another bar nothing is shown.
    """
    global _shown
    if _quiet or _shown:
        yield lambda done=1, note="": None
        return
    _shown = True
    try:
        if sys.stdout.isatty():
            yield from _terminal_bar(label, total, unit)
        else:
            yield _LineBar(label, total, unit).advance
    finally:
        _shown = False


def _terminal_bar(label: str, total: int, unit: str) -> Iterator[Callable[..., None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} % {task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    started = time.perf_counter()
    with Progress(*columns, transient=True) as shown:
        task = shown.add_task(label, total=total, rate="", note="", visible=False)

        def advance(done: int = 1, note: str = "") -> None:
            seconds = time.perf_counter() - started
            rate = f"{(shown.tasks[0].completed + done) / max(seconds, 1e-9):,.0f} {unit}/s"
            visible = seconds > QUIET_SECONDS
            note = note or shown.tasks[0].fields["note"]
            shown.update(task, advance=done, rate=rate, note=note, visible=visible)

        yield advance


class _LineBar:
    """The same report as plain lines, for logs and pipes."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done, self.note = 0, ""
        self.started = time.perf_counter()
        self.next_line = self.started + QUIET_SECONDS

    def advance(self, done: int = 1, note: str = "") -> None:
        self.done += done
        self.note = note or self.note
        now = time.perf_counter()
        if now < self.next_line:
            return
        self.next_line = now + LINE_SECONDS
        rate = self.done / max(now - self.started, 1e-9)
        left = (self.total - self.done) / max(rate, 1e-9)
        share = 100 * self.done / max(self.total, 1)
        rest = f"{rate:,.0f} {self.unit}/s, {left:.0f} s left {self.note}".rstrip()
        say(f"{self.label}: {share:.0f} %, {rest}")
