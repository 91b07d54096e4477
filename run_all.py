"""The leaderboard by one command: `python run_all.py --dataset aliec`."""

import sys

from retrieval_leaderboard.cli import main

if __name__ == "__main__":
    sys.exit(main())
