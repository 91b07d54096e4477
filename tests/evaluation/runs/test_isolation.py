"""A function in a process of its own: its value, its error, its death, its memory."""

import fcntl
import importlib
import multiprocessing
import multiprocessing.util
import os
import pickle
import runpy
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.evaluation.runs.isolation import Crash, call
from retrieval_leaderboard.support.errors import UnwritableError
from retrieval_leaderboard.support.system.memory import peak_mib


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


@pytest.fixture
def at_birth(monkeypatch):
    """`at_birth(number)`: the process of each call from now on gets that signal before anything else."""
    spawn = multiprocessing.util.spawnv_passfds

    def choose(number: int) -> None:
        def spawned(path, words, descriptors):
            pid = spawn(path, words, descriptors)
            if any("spawn_main" in str(word) for word in words):  # Not the tracker of resources.
                os.kill(pid, number)
            return pid

        monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", spawned)

    return choose


LARGE = np.zeros(2**22)
"""More than a pipe holds"""


@pytest.fixture
def in_time():
    """A hang fails the test."""

    def late(*_):
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_child_that_dies_before_it_has_read_its_task(at_birth, in_time):
    at_birth(signal.SIGKILL)
    with pytest.raises(Crash, match="killed by SIGKILL"):
        call(len, LARGE)


class Poison:
    """Calls `function(*args)` where it is unpickled."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def test_a_task_that_cannot_be_read(in_time):
    with pytest.raises(Crash, match="killed by SIGKILL"):
        call(len, Poison(signal.raise_signal, signal.SIGKILL), LARGE)
    with pytest.raises(Crash, match="exit code 9"):
        call(len, Poison(os._exit, 9), LARGE)
    with pytest.raises(Crash, match="ValueError: invalid literal") as caught:
        call(len, Poison(int, "x"), LARGE)
    assert "Traceback" in caught.value.trace


def test_a_module_with_a_syntax_error(in_time, tmp_path, monkeypatch):
    (tmp_path / "just_edited.py").write_text("def half(:")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Crash, match="SyntaxError: "):
        call(len, Poison(importlib.import_module, "just_edited"), LARGE)


def test_what_cannot_be_pickled_is_told_here(in_time):
    with pytest.raises((AttributeError, pickle.PicklingError), match="local"):
        call(len, LARGE, lambda: None)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_the_parent_alone_decides_what_a_terminal_stops(number, at_birth, in_time, capfd):
    at_birth(number)
    assert call(len, LARGE) == len(LARGE)
    assert "Traceback" not in capfd.readouterr().err


NAMED = "__import__('multiprocessing').RLock()._semlock.name"
"""Of a lock that a library makes, such as tqdm's"""


def test_a_killed_child_leaves_no_locks_that_are_told_as_leaked():
    assert multiprocessing.get_context("spawn").RLock()._semlock.name is not None
    if sys.platform == "linux":
        assert call(eval, NAMED) is None


GRANDCHILD = """
import os, signal, time
if os.fork():
    signal.raise_signal(signal.SIGKILL)
time.sleep(30)
"""


def test_a_death_is_seen_though_a_grandchild_lives(in_time, tmp_path):
    (tmp_path / "fork.py").write_text(GRANDCHILD)
    started = time.monotonic()
    with pytest.raises(Crash, match="killed by SIGKILL"):
        call(runpy.run_path, str(tmp_path / "fork.py"))
    assert time.monotonic() - started < 20


def test_a_thread_that_never_ends_holds_nobody_up(in_time, monkeypatch):
    monkeypatch.setattr(isolation, "GRACE_SECONDS", 0.2)
    started = time.monotonic()
    assert (
        call(exec, "import threading, time; threading.Thread(target=time.sleep, args=[30]).start()") is None
    )
    assert time.monotonic() - started < 20


def test_a_death_in_the_middle_of_the_answer():
    receiver, sender = multiprocessing.Pipe(duplex=False)
    os.write(sender.fileno(), struct.pack("!i", 100) + b"the beginning")
    sender.close()
    process = multiprocessing.get_context("spawn").Process(target=os._exit, args=(5,))
    process.start()
    answer = isolation._received(receiver, process)
    assert isinstance(answer, Crash) and "exit code 5" in str(answer)


WAIT = "import time; time.sleep(600)"
RANK = {"RANK_OF_TEST": "0"}, {"RANK_OF_TEST": "1"}


def by_rank(*codes: str) -> str:
    exec(codes[int(os.environ["RANK_OF_TEST"])])
    return os.environ["RANK_OF_TEST"]


def test_the_first_of_several_answers(in_time):
    assert isolation.call_together(RANK, by_rank, "pass", "pass") == "0"
    assert "RANK_OF_TEST" not in os.environ


@pytest.mark.parametrize(("codes", "said", "follow"), [
    ((WAIT, "import os; os._exit(3)"), "^rank 1 of 2: its process ended with exit code 3", 0.2),
    (("import time; time.sleep(1); raise OSError('no peer')", "raise ValueError('x')"), "^ValueError: x", 3),
    (("raise OSError('no peer')", "import os, time; time.sleep(1); os._exit(3)"), "^rank 1 of 2: ", 3),
])  # fmt: skip
def test_the_failure_that_came_first_is_told(codes, said, follow, in_time, monkeypatch):
    monkeypatch.setattr(isolation, "FOLLOW_SECONDS", follow)
    with pytest.raises(Crash, match=said):
        isolation.call_together(RANK, by_rank, *codes)
    assert not multiprocessing.active_children()


def test_what_watches_may_end_them(in_time, monkeypatch):
    monkeypatch.setattr(isolation, "LOOK_SECONDS", 0.1)

    def lost():
        raise Crash("elsewhere")

    with pytest.raises(Crash, match="elsewhere"):
        isolation.call_together(RANK, by_rank, WAIT, WAIT, watch=lost)
    assert not multiprocessing.active_children()


def test_a_full_disk_is_no_fault_of_the_function(tmp_path):
    for name, text in (("full", "raise OSError(28, 'No space left on device')"), ("ours", REFUSED)):
        (tmp_path / name).write_text(text)
        with pytest.raises(UnwritableError, match=r"cannot write .*No space left"):
            call(runpy.run_path, str(tmp_path / name))
    (tmp_path / "rights").write_text("open('/nowhere/at/all', 'w')")
    with pytest.raises(Crash, match="FileNotFoundError"):
        call(runpy.run_path, str(tmp_path / "rights"))


REFUSED = """
from retrieval_leaderboard.support.errors import UnwritableError
raise UnwritableError("cannot write it: No space left")
"""

HOLD = """
import fcntl, time
lock = open({path!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write("held")
lock.flush()
time.sleep(600)
"""
CALL = """import runpy
from retrieval_leaderboard.evaluation.runs.isolation import call
call(runpy.run_path, {path!r})"""


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


def test_a_system_without_hangups_and_masks_has_processes_too():
    """As Windows is."""
    code = (
        "import signal; del signal.SIGHUP, signal.pthread_sigmask\n"
        "from retrieval_leaderboard.evaluation.runs import isolation\n"
        "print(isolation.call(abs, -3), len(isolation.TO_THE_GROUP))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "3 1\n"
