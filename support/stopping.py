"""A polite end: SIGTERM asks long work to stop at the next good place instead of ending the process."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StoppedError(Exception):
    """Work ended early because it was asked to."""


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Within, SIGTERM only makes the yielded function return True.

    Outside the main thread, where signals cannot be handled, it always returns False.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
