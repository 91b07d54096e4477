"""A function in a process of its own: its value, its error, its death, its memory."""

import os
import signal

import numpy as np
import pytest

from evaluation.environment import peak_rss_mib
from evaluation.isolation import Crash, call


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
    assert peak_rss_mib() > 100
    assert call(peak_rss_mib) < 100 < ballast.nbytes
