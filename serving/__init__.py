"""From a trained model to a retrieval service: a bundle on disk, library calls, HTTP."""

from retrieval_leaderboard.support import python  # noqa: F401  (an older Python gets a sentence)

# isort: split
from retrieval_leaderboard.serving.service import Answer, Recommender, Request

__all__ = ["Answer", "Recommender", "Request"]
