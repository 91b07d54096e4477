"""From a trained two-tower model to a retrieval service: an index on disk, library calls, HTTP."""

import support.python  # noqa: F401  (first: an older Python gets a sentence)
from serving.service import Answer, Recommender, Request

__all__ = ["Answer", "Recommender", "Request"]
