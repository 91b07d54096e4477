"""What a process and all that it started take."""

import subprocess
import sys
import time

from retrieval_leaderboard.studies import processes

HOLDS = "held = bytearray(b'1') * 2**26; print(flush=True); input()"


def test_processors_are_counted():
    before, own = processes.processor_seconds(), time.process_time()
    while time.process_time() < own + 0.2:
        pass
    assert processes.processor_seconds() - before > 0.1


def test_a_child_is_counted_while_it_runs():
    before = processes.anonymous_mib()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in processes.tree()
        assert processes.anonymous_mib() > before + 60
        child.communicate(b"\n")
    assert child.pid not in processes.tree()


def test_a_process_that_is_gone_holds_nothing():
    assert processes.anonymous_mib_of("0") == 0.0
