"""Features of users, items and moments; importing the package registers their kinds."""

from retrieval_leaderboard.datasets.features.categorical import Categorical
from retrieval_leaderboard.datasets.features.column import KINDS
from retrieval_leaderboard.datasets.features.features import Features
from retrieval_leaderboard.datasets.features.multivalued import Multivalued
from retrieval_leaderboard.datasets.features.numeric import Numeric
from retrieval_leaderboard.datasets.features.vector import Vector

_ALL = (Categorical, Multivalued, Numeric, Vector)
KINDS.update({each.kind: each for each in _ALL})

__all__ = ["Categorical", "Features", "Multivalued", "Numeric", "Vector"]
