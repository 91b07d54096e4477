"""The processor."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from retrieval_leaderboard.support.devices.device import Device
from retrieval_leaderboard.support.system import memory

CPUINFO = Path("/proc/cpuinfo")


class Cpu(Device):
    """The processor and main memory."""

    name, title = "cpu", "processor"
    precision = "fp32"
    memory_name, shares_main_memory = "main", True
    asynchronous = False

    def may_be_here(self) -> bool:
        """Always."""
        return True

    def is_here(self) -> bool:
        """Always."""
        return True

    def hardware(self) -> str:
        """The processor's name."""
        return processor()

    def free_bytes(self) -> int:
        """Main memory that is free, within the limits of a container."""
        return memory.available()


def processor() -> str:
    """The CPU's name, as the system gives it, with family and model, without which a virtual machine's says
    little: how a processor rounds depends on them.
    """
    if CPUINFO.is_file():
        text = CPUINFO.read_text()
        found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
        if len(found) == 3:
            return f"{found['model name']} (family {found['cpu family']}, model {found['model']})"
    return platform.processor() or platform.machine()
