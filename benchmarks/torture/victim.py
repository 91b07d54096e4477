"""`python -m benchmarks.torture.victim N …`: run_all.py, killed just before its N-th rename of a folder."""

import itertools
import os
import signal
import sys
from pathlib import Path

from retrieval_leaderboard import cli

if __name__ == "__main__":
    rename, count, last = Path.rename, itertools.count(1), int(sys.argv.pop(1))

    def dying(self: Path, target: Path) -> Path:
        if next(count) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.rename = dying  # type: ignore[method-assign, assignment]
    sys.exit(cli.main())
