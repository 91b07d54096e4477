"""`python -m notebooks.made_up_clicks FILE`: a small log to try things on; nobody made these clicks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval_leaderboard.datasets.aliec import generated
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.storage.files import write_text

SCALE = 0.01
HEADER = "user,item,timestamp"


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Write the clicks of aliec-sim as a CSV file in the order of time; 0: done, 2: bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.made_up_clicks", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("file", type=Path, help=f"to write, with the columns {HEADER}")
    parser.add_argument("--scale", type=float, default=SCALE, help=f"as of aliec-sim (default: {SCALE})")
    options = parser.parse_args(arguments)
    log = generated.load(cache_dir(), options.scale)
    assert log.timestamp is not None
    order = log.timestamp.argsort(kind="stable")
    rows = zip(
        log.user_ids[log.user[order]], log.item_ids[log.item[order]], log.timestamp[order], strict=True
    )
    write_text(options.file, "\n".join([HEADER, *(f"{user},{item},{time}" for user, item, time in rows), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
