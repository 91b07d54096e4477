"""Two-tower models; importing the package registers them."""

from retrieval_leaderboard.neural.bsl import BSL
from retrieval_leaderboard.neural.dssm_bce import DssmBce
from retrieval_leaderboard.neural.infonce import InfoNCE
from retrieval_leaderboard.neural.sasrec import SasRec
from retrieval_leaderboard.neural.simplex_ccl import SimpleX

__all__ = ["BSL", "MODELS", "NAMES", "DssmBce", "InfoNCE", "SasRec", "SimpleX"]

MODELS = (InfoNCE, DssmBce, SimpleX, BSL, SasRec)
"""Every two-tower model"""
NAMES = tuple(model.name for model in MODELS)
"""What they are registered as"""
