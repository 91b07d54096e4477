"""`python -m retrieval_leaderboard.datasets.aliec`: the generator's files in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval_leaderboard.datasets.aliec.simulator import DEFAULT_SCALE, generate
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.numbers import within


@in_one_sentence
def main() -> int:
    """Write them; 0: done, 2: bad input."""
    parser = argparse.ArgumentParser(description="write synthetic raw files in the official AliEC schema")
    parser.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1.0 gives the published counts")
    parser.add_argument("--out", type=Path, required=True, help="folder to create or replace")
    parser.add_argument("--seed", type=within(0, 2**32 - 1), default=0)
    options = parser.parse_args()
    generate(options.out, options.scale, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
