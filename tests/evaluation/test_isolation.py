"""A function in a process of its own: its value, its error, its death, its memory."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from evaluation.isolation import Crash, call
from support.memory import peak_mib


def test_value():
    assert call(divmod, 7, 3) == (2, 1)


def test_error_keeps_its_traceback():
    with pytest.raises(Crash, match="ZeroDivisionError: ") as caught:
        call(divmod, 1, 0)
    assert "Traceback" in caught.value.trace


def test_death_is_told():
    with pytest.raises(Crash, match="killed by SIGKILL"):
        call(signal.raise_signal, signal.SIGKILL)
    with pytest.raises(Crash, match="exit code 7"):
        call(os._exit, 7)


def test_peak_memory_is_the_childs_own():
    ballast = np.ones(100 * 2**20, dtype=np.uint8)
    assert peak_mib() > 100
    assert call(peak_mib) < 100 < ballast.nbytes


HOLD = """
import fcntl, time
lock = open({path!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write("held")
lock.flush()
time.sleep(600)
"""
CALL = "import runpy; from evaluation.isolation import call; call(runpy.run_path, {path!r})"


def test_the_child_ends_with_its_parent(tmp_path):
    orphan(tmp_path, HOLD)


STOP = """
import signal
def stop(*_):
    raise RuntimeError("stopped")
signal.signal(signal.SIGTERM, stop)
"""


def test_a_child_without_a_parent_has_nobody_to_tell(tmp_path):
    told = orphan(tmp_path, STOP + HOLD)
    time.sleep(0.5)
    assert told.read_text() == ""


def orphan(tmp_path, text):
    """Kill the parent of a child that runs `text`, and wait for the child's end; returns their stderr."""
    lock, script, told = tmp_path / "lock", tmp_path / "hold.py", tmp_path / "told"
    lock.touch()
    script.write_text(text.format(path=str(lock)))
    with told.open("w") as stderr:
        command = [sys.executable, "-c", CALL.format(path=str(script))]
        parent = subprocess.Popen(command, stderr=stderr)
    within(60, lambda: lock.read_text() == "held")
    assert not free(lock)
    parent.kill()
    parent.wait()
    within(10, lambda: free(lock))
    return told


def within(seconds: float, condition) -> None:
    """Wait for `condition`, at most so long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def free(lock) -> bool:
    """Whether no process holds it: a zombie does not, though it still has its number."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
