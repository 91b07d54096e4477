"""A virtual environment for each library that does not share this suite's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.peers.work import Peer
from retrieval_leaderboard.support.progress import say
from retrieval_leaderboard.support.stopping import death

INSTALL_SECONDS = 900


class LeftOut(Exception):
    """A library, or one piece of its work, that is left out of the table; the text says why."""


def python_of(name: str, peer: Peer) -> Path:
    """The interpreter that has `peer`, in `.venv-peers/<name>`, which is made where it is not there.

    Raises:
        LeftOut: its packages will not install.
    """
    if not peer.requirements:
        return Path(sys.executable)
    folder = ROOT / ".venv-peers" / name
    python, done = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(peer.requirements)
    if not done.is_file() or done.read_text() != wanted:
        say(f"{peer.title}: installing {', '.join(peer.requirements)} into {folder.relative_to(ROOT)}")
        # torch stands in the same command as what needs it: its pinned build is the one without CUDA.
        called([sys.executable, "-m", "venv", str(folder)], INSTALL_SECONDS)
        called([str(python), "-m", "pip", "install", "--quiet", *peer.requirements], INSTALL_SECONDS)
        done.write_text(wanted)
    return python


def called(command: list[str], seconds: float, environment: dict[str, str] | None = None) -> None:
    """Run a command to its end.

    Raises:
        LeftOut: it failed, or did not end in `seconds`; with its last line of error.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            _, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # With the processes it started: they would disturb what is measured next.
            os.killpg(process.pid, signal.SIGKILL)
            raise LeftOut(f"stopped after {seconds:.0f} s") from None
    if process.returncode:
        raise LeftOut(reason(error, process.returncode))


def reason(error: str, code: int) -> str:
    """The last line of what a failed process wrote, or how it ended where it wrote nothing."""
    if code < 0:
        return death(code)
    lines = [line.strip() for line in error.splitlines() if line.strip() and not line.startswith("[notice]")]
    return lines[-1][:200] if lines else death(code)
