"""`python -m retrieval_leaderboard` is `python run_all.py`."""

import sys

from retrieval_leaderboard.cli import main

if __name__ == "__main__":
    sys.exit(main())
