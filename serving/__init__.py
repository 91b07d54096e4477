"""From a trained two-tower model to a retrieval service: an index on disk, library calls, HTTP."""

from serving.service import Answer, Recommender, Request

__all__ = ["Answer", "Recommender", "Request"]
